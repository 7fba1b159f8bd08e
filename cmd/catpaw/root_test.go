package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheConfigurationIsTheFirstThatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there, unseen, missing, other := filepath.Join(dir, "there"), filepath.Join(dir, "unseen"), filepath.Join(dir, "missing"), filepath.Join(dir, "other")
	for _, one := range []string{there, other} {
		if err := os.Mkdir(one, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(unseen, unseen); err != nil { // root, too, fails to look through it
		t.Skip(err)
	}
	for name, c := range map[string]struct {
		dirs []string
		want string
	}{
		"both are there":                       {[]string{there, other}, there},
		"the first is missing":                 {[]string{missing, there}, there},
		"nobody can tell what the second is":   {[]string{missing, unseen}, unseen},
		"nobody can tell what the first is":    {[]string{unseen, there}, unseen},
		"there is none, so the first is named": {[]string{missing, missing + "2"}, missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := firstThere(c.dirs...); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
