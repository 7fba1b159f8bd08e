package mtime

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// A signal may cut a read short before the first name that counts.
func TestAReadThatBringsOnlyDotsIsNotTheEnd(t *testing.T) {
	t.Parallel()
	const record = 24 // bytes of a name of up to four
	f, err := openFolder(plant(t, ages{"a": 0, "b": 0, "c": 0}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	b := batch{room: make([]byte, record)} // one name at a time
	var names []string
	for {
		if _, err := f.read(&b); err != nil {
			t.Fatal(err)
		}
		if len(b.entries) == 0 {
			break
		}
		names = append(names, string(b.entries[0].name))
	}
	if slices.Sort(names); !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("names %q", names)
	}
}

// TestAFileIsAskedWithoutACopyOfItsName: the time is that which x/sys says, and the names behind it stay what they are.
func TestAFileIsAskedWithoutACopyOfItsName(t *testing.T) {
	root := plant(t, ages{"a": 0, "long-enough-to-be-no-short-name.log": day, "sub/b": 0})
	if err := os.Symlink("a", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	opened, err := openFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.close()
	var b batch
	if _, err := opened.read(&b); err != nil || len(b.entries) != 4 {
		t.Fatalf("%d entries, %v", len(b.entries), err)
	}
	kinds := map[string]kind{"a": regular, "long-enough-to-be-no-short-name.log": regular, "sub": subdir, "link": other}
	for _, e := range b.entries {
		var s unix.Stat_t
		if err := unix.Lstat(filepath.Join(root, string(e.name)), &s); err != nil {
			t.Fatal(err)
		}
		modified, kind, err := opened.stat(e.name)
		if want := nanoseconds(int64(s.Mtim.Sec), int64(s.Mtim.Nsec)); err != nil || modified != want || kind != kinds[string(e.name)] {
			t.Errorf("%s: %d, %d, %v; want %d, %d", e.name, modified, kind, err, want, kinds[string(e.name)])
		}
		delete(kinds, string(e.name))
	}
	if len(kinds) > 0 {
		t.Errorf("not seen: %v", kinds)
	}
	if _, _, err := opened.stat([]byte("none")); err != unix.ENOENT {
		t.Errorf("a file that is not there: %v", err)
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return
	}
	f := opened.(descriptor)
	if n := testing.AllocsPerRun(100, func() { f.stat(b.entries[0].name) }); n > 0 {
		t.Errorf("it allocates %.0f times", n)
	}
}
