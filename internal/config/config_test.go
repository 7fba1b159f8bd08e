package config

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

type options struct {
	Name    string            `toml:"name"`
	Count   int               `toml:"count"`
	On      bool              `toml:"on"`
	Share   float64           `toml:"share"`
	Wait    Duration          `toml:"wait"`
	Most    Size              `toml:"most"`
	Key     Secret            `toml:"key"`
	Run     []Command         `toml:"run"`
	Words   []string          `toml:"words"`
	Labels  map[string]string `toml:"labels"`
	Expect  expect            `toml:"expect"`
	Maybe   *Duration         `toml:"maybe"`
	Ignored string
}

type expect struct {
	Status []string `toml:"status"`
	Regex  string   `toml:"regex"`
}

func decode(t *testing.T, text string) (options, error) {
	t.Helper()
	node, err := Parse("f.toml", text)
	if err != nil {
		return options{}, err
	}
	o := options{Name: "default", Count: 7}
	var errs Errors
	Decode(node, &errs, &o)
	return o, errs.Err()
}

func TestDecodeFillsEveryKindOfOption(t *testing.T) {
	t.Parallel()
	o, err := decode(t, `
name = "x"
on = true
share = 2
wait = 1.5
most = "1MiB"
key = "k"
run = ["a 'b c'", ["d", "e f"]]
words = ["p", "q"]
labels = { team = "devops" }
maybe = "2d"
[expect]
status = ["20*"]
`)
	if err != nil {
		t.Fatal(err)
	}
	if o.Name != "x" || o.Count != 7 || !o.On || o.Share != 2 || o.Wait != Duration(1500*time.Millisecond) ||
		o.Most != 1<<20 || o.Key.Reveal() != "k" || o.Labels["team"] != "devops" || *o.Maybe != Duration(48*time.Hour) ||
		o.Expect.Status[0] != "20*" || o.Run[0].Line != "a 'b c'" || o.Run[1].Argv[1] != "e f" || len(o.Words) != 2 {
		t.Errorf("decoded %+v", o)
	}
}

func TestEveryFaultIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	_, err := decode(t, `# a comment
nmae = "x"
count = "many"
on = 1
wait = "soon"
most = -1
words = [
  "p",   # fine
  3,
]
labels = 5
key = 9
run = [true]
expect = { status = "20*", regx = "a" }
Ignored = "no tag, no option"
`)
	want := []string{
		`f.toml:2: unknown option "nmae"; did you mean "name"?`,
		`f.toml:3: count: expected a whole number, not a string`,
		`f.toml:4: on: expected true or false, not the number 1`,
		`f.toml:5: wait: "soon" is not a duration: write "30s", "5m", "1.5h", "2d", or a number of seconds`,
		`f.toml:6: most: -1 is negative`,
		`f.toml:9: words[1]: expected a string, not the number 3`,
		`f.toml:11: labels: expected a table, not the number 5`,
		`f.toml:12: key: expected a string`,
		`f.toml:13: run[0]: expected a command line or an array of arguments, not true`,
		`f.toml:14: unknown option "expect.regx"; did you mean "regex"?`,
		`f.toml:14: expect.status: expected an array, not a string`,
		`f.toml:15: unknown option "Ignored"`,
	}
	if got := err.Error(); got != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestSyntaxErrorNamesTheLineAndNotTheText(t *testing.T) {
	t.Parallel()
	_, err := decode(t, "name = \"a\"\nkey = \"hunter2\" extra\n")
	if err == nil || !strings.HasPrefix(err.Error(), "f.toml:2: ") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error: %v", err)
	}
}

func TestLinesAreFoundInEveryWayOfWritingTOML(t *testing.T) {
	t.Parallel()
	text := `a = 1
[t]
"b c" = """
not = a key
[nor.a.table]
"""
'x.y' = 2 # comment = 3
d.e.f = [ [1,
  2], { g = 5 } ]
[[list]]
k = '''it's'''
[list.sub]
m = 1
[[list]]
[[list.inner]]
n = "]#"
[[list.inner]]
n = "\"#"
[u.v]
w = 1979-05-27
[u."\u00e9".v]
w = 1
x.y = 2
[[u.z."\u00e9"]]
[[u.z."\u00e9".v]]
`
	root, err := Parse("f.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"a": 1, "t": 2, "t.b c": 3, "t.d.e.f": 8, "t.d.e.f[0][1]": 9, "t.d.e.f[1].g": 9,
		"list[0].k": 11, "list[0].sub.m": 13, "list[1]": 14, "list[1].inner[0].n": 16, "list[1].inner[1].n": 18, "u.v.w": 20,
		"u.é.v.x.y": 19, "u.z": 24, "u.z.é[0].v[0]": 24, // where escapes hide it, the line of what it is in
	} {
		if got := root.Find(path).Line; got != want {
			t.Errorf("%s: line %d, want %d", path, got, want)
		}
	}
	if got := root.Get("t").Get("x.y").Line; got != 7 {
		t.Errorf("a key with a dot: line %d, want 7", got)
	}
}

// FuzzEverythingHasALine: whatever the parser takes.
func FuzzEverythingHasALine(f *testing.F) {
	f.Add("a = [1, {b = 2}]\n[[c]]\nd = \"\"\"x\"\"\"")
	f.Add("[\"\\u00e9\"]\nb.c = 1\n[a.d]\n[[a.e]]\n[a.e.f]\n''.g = ''")
	f.Fuzz(func(t *testing.T, text string) {
		root, err := Parse("f.toml", text)
		if err != nil {
			return
		}
		last := 1 + strings.Count(text, "\n")
		var look func(path string, n *Node, from int)
		look = func(path string, n *Node, from int) {
			if n.Line < from || n.Line > last {
				t.Errorf("%s is on line %d of %d", path, n.Line, last)
			}
			for key, child := range n.Table() {
				look(path+"."+key, child, 1)
			}
			for i, child := range n.list() {
				look(path+"["+strconv.Itoa(i)+"]", child, n.Line)
			}
		}
		look("", root, 1)
	})
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1.5h": 90 * time.Minute, "2d": 48 * time.Hour, "1d12h": 36 * time.Hour,
		"0.5d": 12 * time.Hour, "180": 3 * time.Minute, "1.5": 1500 * time.Millisecond, "0": 0, " 5m ": 5 * time.Minute,
	} {
		if got, err := ParseDuration(text); err != nil || got.Std() != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1s", "1x", "-5", "1d-1h", "NaN", "inf", "99999999999999d", "106751d24h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q should not be a duration, is %v", text, got)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{"5": 5, "5B": 5, "64KiB": 65536, "1mib": 1 << 20, "2GB": 2e9, "1.5 K": 1536} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "KiB", "-1", "x", "NaN", "1e300"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q should not be a size, is %d", text, got)
		}
	}
}

func TestSecretsAreReadFromFilesAndNeverPrinted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := decode(t, `key = "@`+path+`"`)
	if err != nil || o.Key.Reveal() != "hunter2" {
		t.Fatalf("secret %q, error %v", o.Key.Reveal(), err)
	}
	node, _ := Parse("f.toml", `key = "@`+path+`"`)
	if err := os.WriteFile(path, []byte("@"+path), 0o600); err != nil { // a secret that looks like a file's name
		t.Fatal(err)
	}
	for range 2 {
		var errs Errors
		Decode(node, &errs, &o)
		if o.Key.Reveal() != "@"+path || len(errs) > 0 {
			t.Errorf("decoded twice: %q, %v", o.Key.Reveal(), errs)
		}
	}
	if text := o.Key.String() + o.Key.GoString(); strings.Contains(text, "hunter2") {
		t.Errorf("printed: %s", text)
	}
	if _, err := decode(t, `key = "@/nowhere/at/all"`); err == nil || !strings.Contains(err.Error(), "f.toml:1: key: cannot read the secret") {
		t.Errorf("missing file: %v", err)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	vars := Vars{
		Named: map[string]string{"hostname": "web1", "ip": "10.0.0.5"},
		Lookup: func(name string) (string, bool) {
			value, ok := map[string]string{"ENV": `a"b\c`, "EMPTY": "", "NEST": "$ip"}[name]
			return value, ok
		},
	}
	for text, want := range map[string]string{
		"$hostname at $ip in ${ENV}": `web1 at 10.0.0.5 in a"b\c`,
		"$ipx":                       "$ipx",
		"$ip.x ${ip}x":               "10.0.0.5.x 10.0.0.5x",
		"US$5":                       "US$5",
		"$ENV":                       "$ENV",
		"${NOPE}":                    "${NOPE}",
		"${NOPE:-default}":           "default",
		"${EMPTY:-default}":          "default",
		"${EMPTY}":                   "",
		"${NEST}":                    "$ip",
		"pa$$word":                   "pa$$word",
		"${":                         "${",
		"$check":                     "$check",
	} {
		if got := vars.Expand(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestOverMergesTablesAndReplacesTheRest(t *testing.T) {
	t.Parallel()
	below, _ := Parse("below", "a = 1\nwords = [\"x\", \"y\"]\n[expect]\nregex = \"r\"\nstatus = [\"1\"]")
	above, _ := Parse("above", "words = [\"z\"]\n[expect]\nstatus = [\"2\"]")
	merged := above.Over(below)
	const want = `{"a":1,"expect":{"regex":"r","status":["2",],},"words":["z",],}`
	if got := merged.Canonical(); got != want {
		t.Errorf("merged %s, want %s", got, want)
	}
	if merged.Find("expect.regex").File != "below" || merged.Find("expect.status").File != "above" {
		t.Error("merged nodes forgot where they came from")
	}
}

func TestAMisspeltOptionIsNotMissingAsWell(t *testing.T) {
	t.Parallel()
	var into struct {
		URL    string `toml:"url"`
		Expect struct {
			Code string `toml:"code"`
		} `toml:"expect"`
	}
	missing := errors.Join(Field("url", "it is missing"), Field("expect.code", "it is missing"))
	for text, want := range map[string]string{
		"x.y = 1\n[expect]\ncode = 'a'":          `unknown option "x"|url: it is missing|expect.code: it is missing`,
		"ulr = 'a'\nexpect.code = ''":            `unknown option "ulr"; did you mean "url"?|expect.code: it is missing`,
		"url = ''\nexpect.coed = ''":             `url: it is missing|unknown option "expect.coed"; did you mean "code"?`,
		"ulr = 'a'\ncode = ''\n[expect]\n#":      `unknown option "ulr"|unknown option "code"; it belongs into the table "expect"`,
		"expect.ulr = 'a'\nexpect.code = 'none'": `unknown option "expect.ulr"|url: it is missing|expect.code: it is missing`,
	} {
		node, err := Parse("f.toml", "\n"+text) // the first line is that of the table
		if err != nil {
			t.Fatal(err)
		}
		var errs Errors
		Decode(node, &errs, &into)
		errs.AddInit(node, missing)
		said := errs.Error()
		pieces := strings.Split(want, "|")
		if strings.Count(said, "\n")+1 != len(pieces) {
			t.Errorf("%s: %s, want %d faults", text, said, len(pieces))
		}
		for _, piece := range pieces {
			if !strings.Contains(said, piece) {
				t.Errorf("%s: %s, want %s", text, said, piece)
			}
		}
	}
}
