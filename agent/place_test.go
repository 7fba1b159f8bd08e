package agent

import "testing"

// TestAPlaceIsAFileOrALineOfIt, with as much of the path as somebody writes.
func TestAPlaceIsAFileOrALineOfIt(t *testing.T) {
	t.Parallel()
	const source = "conf.d/p.exec/exec.toml:10"
	for asked, want := range map[string]bool{
		"exec.toml":                              true,
		"exec.toml:":                             true,
		"exec.toml:10":                           true,
		"p.exec/exec.toml":                       true,
		"conf.d/p.exec/exec.toml":                true,
		"conf.d/p.exec/exec.toml:10":             true,
		"./conf.d/p.exec/exec.toml":              true,
		"/etc/catpaw/conf.d/p.exec/exec.toml:10": true,
		"exec.toml:1":                            false, // another line
		"xec.toml":                               false, // parts are asked for later, when nothing is called so
		"exec.toml.bak":                          false,
		".toml":                                  false,
		".toml:10":                               false,
		"exec":                                   false,
		"":                                       false,
	} {
		if isAt(source, asked) != want {
			t.Errorf("%q is %s: %t, want %t", asked, source, !want, want)
		}
	}
	if isAt("catpaw itself", "exec.toml") || isAt("catpaw itself", "catpaw itself") {
		t.Error("what is in no file is at a place")
	}
}
