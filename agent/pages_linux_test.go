package agent

import (
	"slices"
	"testing"
)

func TestOnlyTheProgramIsForgottenAndOnlyWhatWasNeverWritten(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00c41000 r-xp 00000000 08:01 1049                       /usr/bin/catpaw (deleted)
Rss:                8196 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
00d00000-00d10000 r--p 00900000 08:01 1049                       /usr/bin/catpaw (deleted)
Anonymous:            64 kB
Swap:                  0 kB
00d10000-00d20000 r--p 00900000 08:01 1049                       /usr/bin/catpaw (deleted)
Anonymous:             0 kB
Swap:                 16 kB
00d20000-00d30000 r--p 00900000 08:01 1049                       /usr/bin/catpaw (deleted)
Anonymous:             0 kB
Swap:                  0 kB
00d30000-00d40000 r--p 00900000 08:01 1049                       /usr/bin/catpaw (deleted)
Swap:                  0 kB
01c00000-01c4a000 rw-p 01800000 08:01 1049                       /usr/bin/catpaw (deleted)
Anonymous:             0 kB
Swap:                  0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
7f0000000000-7f0000100000 r--s 00000000 08:01 77                 /var/lib/catpaw/a file.db
Anonymous:             0 kB
Swap:                  0 kB
7f0000200000-7f0000300000 r-xp 00000000 08:01 78                 /usr/lib/libc.so.6
Anonymous:             0 kB
Swap:                  0 kB
nonsense
`
	want := []region{{0x400000, 0xc41000}, {0xd20000, 0xd30000}}
	if got := unwritten(smaps, "/usr/bin/catpaw (deleted)"); !slices.Equal(got, want) {
		t.Errorf("%x", got)
	}
}
