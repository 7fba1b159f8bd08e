package newdir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	full := t.TempDir()
	file := filepath.Join(full, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, want string }{
		"a directory that is not there is good":        {filepath.Join(full, "new", "conf.d"), ""},
		"an empty directory is good":                   {t.TempDir(), ""},
		"one in which there is something is refused":   {full, "is not empty (there is file)"},
		"a file is refused":                            {file, "nothing is written"},
		"no name is refused, not the current one used": {"", "is empty; nothing is written"},
	} {
		switch err := Check(c.dir); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
