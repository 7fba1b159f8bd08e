package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInitWritesWhatShips, and nothing over anything.
func TestInitWritesWhatShips(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "conf.d")
	out, errs, code := catpaw(t, "init", dir)
	if code != 0 || errs != "" || !strings.Contains(out, dir+" is written") {
		t.Fatalf("%q %q %d", out, errs, code)
	}
	for _, name := range []string{"config.toml", "p.http/http.toml"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if want, err := os.ReadFile("../../conf.d/" + name); err != nil || string(got) != string(want) {
			t.Errorf("%s is another: %v", name, err)
		}
	}
	if out, errs, code = catpaw(t, "-config-check", "-configs", dir); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("it is not good: %s%s", out, errs)
	}
	if _, errs, code = catpaw(t, "init", dir); code != 1 || !strings.Contains(errs, "is not empty (there is config.toml)") {
		t.Errorf("again: %s %d", errs, code)
	}
}

// TestMigrateTellsWhatIsLeft, and judges what it wrote.
func TestMigrateTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "conf.d")
	write(t, from, map[string]string{
		"config.toml":           "[notify.console]\nenabled = true\n[ai]\nmodel = 'x'\n",
		"p.scriptfilter/a.toml": "[[instances]]\ncommand = '/bin/true'\nfilter_include = ['*x*']\n",
	})
	out, errs, code := catpaw(t, "migrate", from, to)
	if code != 0 || !strings.Contains(out, "2 files, 1 note; it is good") || !strings.Contains(errs, "[ai] has no counterpart") {
		t.Errorf("%q %q %d", out, errs, code)
	}
	if _, errs, code = catpaw(t, "migrate", from, to); code != 1 || !strings.Contains(errs, "is not empty") {
		t.Errorf("again: %q %d", errs, code)
	}
	if _, errs, code = catpaw(t, "migrate", from); code != 1 || !strings.Contains(errs, "catpaw migrate OLD NEW") {
		t.Errorf("%q %d", errs, code)
	}
	write(t, from, map[string]string{"p.scriptfilter/a.toml": "[[instances]]\nfilter_include = ['*x*']\n"})
	_, errs, code = catpaw(t, "migrate", from, filepath.Join(t.TempDir(), "conf.d"))
	if code != 0 || !strings.Contains(errs, "command is empty: this instance watches nothing") {
		t.Errorf("%q %d", errs, code)
	}
	write(t, from, map[string]string{"p.scriptfilter/a.toml": "[[instances]]\ncommand = \"'\"\nfilter_include = ['*x*']\n"})
	_, errs, code = catpaw(t, "migrate", from, filepath.Join(t.TempDir(), "conf.d"))
	if code != 1 || !strings.Contains(errs, "needs mending by hand") {
		t.Errorf("%q %d", errs, code)
	}
}

// TestInitAndMigrateRefuseAnEmptyName: joined with the name of a file it would be the current directory, whose configuration
// would be written over.
func TestInitAndMigrateRefuseAnEmptyName(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	write(t, from, map[string]string{"p.exec/a.toml": "[[instances]]\ncommands = ['/bin/true']\n"})
	file := filepath.Join(from, "p.exec", "a.toml")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"init without a name":               {[]string{"init", ""}, "is empty; nothing is written"},
		"migrate to nowhere":                {[]string{"migrate", from, ""}, "is empty; nothing is written"},
		"migrate from nowhere":              {[]string{"migrate", "", filepath.Join(from, "new")}, "directory to read is empty"},
		"init into what is no directory":    {[]string{"init", file}, "nothing is written"},
		"migrate into what is no directory": {[]string{"migrate", from, file}, "nothing is written"},
	} {
		if out, errs, code := catpaw(t, c.args...); code != 1 || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %q %q %d", name, out, errs, code)
		}
	}
	if _, err := os.Lstat("config.toml"); err == nil {
		t.Error("the configuration is in the current directory")
	}
}
