package agent

import (
	"slices"
	"testing"
)

func TestOnlyWhatWasNeverWrittenIsForgotten(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00c41000 r-xp 00000000 08:01 1049 /usr/bin/catpaw
Rss:                8196 kB
Anonymous:             0 kB
00d00000-00d10000 r--p 00900000 08:01 1049 /usr/bin/catpaw
Anonymous:            64 kB
01c00000-01c4a000 rw-p 01800000 08:01 1049 /usr/bin/catpaw
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000100000 r--s 00000000 08:01 77 /var/lib/catpaw/a file.db
Anonymous:             0 kB
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
nonsense
`
	want := []region{{0x400000, 0xc41000}, {0x7f0000000000, 0x7f0000100000}}
	if got := unwritten(smaps); !slices.Equal(got, want) {
		t.Errorf("%x", got)
	}
	forgetPages() // and the test goes on
}
