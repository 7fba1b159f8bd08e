package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyRegularFilesOfReasonableSizeAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.toml")
	if err := os.WriteFile(large, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                            "not a regular file",
		os.DevNull:                     "not a regular file",
		large:                          "larger than 4096 KiB",
		filepath.Join(dir, "not here"): "no such file",
	} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := readSecret("@" + path); err == nil || strings.Contains(want, "regular") && !strings.Contains(err.Error(), want) {
			t.Errorf("secret in %s: %v", path, err)
		}
	}
}

func TestWhatNestsTooDeepIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	many := 100_000
	for name, text := range map[string]string{
		"arrays":        "x = 1\na = " + strings.Repeat("[", many) + strings.Repeat("]", many),
		"inline tables": "x = 1\na = " + strings.Repeat("{a=", many),
		"dotted keys":   "x = 1\n" + strings.Repeat("a.", many) + "a = 1",
	} {
		if _, err := Parse("f", text); err == nil || err.Error() != "f:2: this nests more than 100 deep" {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := strings.Repeat(`["a[[[[", '[[[\', """ [[[ " \""" """], # [[[[`+"\n", 1000)
	if line := tooDeep("a = [" + long + "]\nb = '" + strings.Repeat(".", 1000) + "'"); line != 0 {
		t.Errorf("line %d nests too deep", line)
	}
}
