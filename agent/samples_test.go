package agent

import (
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pages are all that people read.
func pages(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		names = append(names, found...)
	}
	return names
}

var (
	sample = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	named  = regexp.MustCompile(`^# conf\.d/(\S+\.toml)\n`)
	secret = regexp.MustCompile(`"@/run/secrets/([\w-]+)"`)
)

// TestEverySampleWorks: what the pages show is configuration that catpaw takes, JSON that parses, and Go that builds.
func TestEverySampleWorks(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, page := range pages(t) {
		var probe []string
		for _, m := range sample.FindAllStringSubmatch(read(t, page), -1) {
			seen[m[1]]++
			switch m[1] {
			case "toml":
				trySample(t, page, m[2])
			case "json":
				if !json.Valid([]byte(strings.ReplaceAll(m[2], ",…", ""))) { // what is left out
					t.Errorf("%s: no JSON:\n%s", page, m[2])
				}
			case "go":
				probe = append(probe, m[2])
			case "sh":
			default:
				t.Errorf("%s: nobody tries samples of %s", page, m[1])
			}
		}
		if probe != nil {
			buildProbe(t, page, probe)
		}
	}
	if seen["toml"] < 20 || seen["json"] < 2 || seen["go"] < 1 {
		t.Errorf("samples seen: %v", seen)
	}
}

// fileOf is the file that a sample belongs into: as it says itself, or as the page that it is on.
func fileOf(page, text string) string {
	if m := named.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if strings.Contains(page, "/probes/") {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		return "p." + name + "/" + name + ".toml"
	}
	return "config.toml"
}

func trySample(t *testing.T, page, text string) {
	t.Helper()
	dir := t.TempDir()
	text = secret.ReplaceAllStringFunc(text, func(found string) string {
		path := filepath.Join(dir, secret.FindStringSubmatch(found)[1])
		content := "http://127.0.0.1:1/" + filepath.Base(path) // as a URL and as a password
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return `"@` + path + `"`
	})
	files := map[string]string{"p.exec/some.toml": "[[instances]]\ncommands = ['true']\n"} // something to check
	files[fileOf(page, text)] = text
	if _, err := confd(t, files).Load(); err != nil {
		t.Errorf("%s: %v in\n%s", page, err, text)
	}
}

// buildProbe builds a probe as a page shows it, without writing it there: the first sample is its file, the second what it
// has in inputs/inputs.go, an import and a line of the table.
func buildProbe(t *testing.T, page string, samples []string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) != 2 {
		t.Fatalf("%s: %d samples of Go, want a probe and its place in the table", page, len(samples))
	}
	probe := samples[0]
	if formatted, err := format.Source([]byte(probe)); err != nil || string(formatted) != probe {
		t.Errorf("%s: not gofmt-ed, or no file of Go (%v)", page, err)
	}
	imported, line, _ := strings.Cut(samples[1], "\n")
	table := read(t, "../inputs/inputs.go")
	for after, added := range map[string]string{"import (\n": imported, "return map[string]func() pipeline.Input{\n": line} {
		if strings.Count(table, after) != 1 {
			t.Fatalf("inputs.go has changed: where is %q?", after)
		}
		table = strings.Replace(table, after, after+added+"\n", 1)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for name, content := range map[string]string{"inputs/load/load.go": probe, "inputs/inputs.go": table} {
		put := filepath.Join(dir, filepath.Base(name))
		replace[filepath.Join(root, name)] = put
		if err := os.WriteFile(put, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "./inputs/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", page, err, out)
	}
	if err := os.Remove(filepath.Join(dir, "inputs.go")); err != nil {
		t.Fatal(err)
	}
	if comments := readComments(t, dir); comments["Probe.AlertIfGe"] == "" {
		t.Errorf("%s: an option has no comment, so make docs would refuse it: %v", page, comments)
	}
}

var place = regexp.MustCompile(`(conf\.d/p\.\w+/\w+\.toml):(\d+)`)

// TestEveryPlaceIsACheck: a place in the shipped configuration that a README names is where an instance begins.
func TestEveryPlaceIsACheck(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"../README.md", "../README.zh-CN.md"} {
		named := place.FindAllStringSubmatch(read(t, page), -1)
		if len(named) == 0 {
			t.Errorf("%s names no place", page)
		}
		for _, m := range named {
			lines := strings.Split(read(t, "../"+m[1]), "\n")
			if n, err := strconv.Atoi(m[2]); err != nil || n < 1 || n > len(lines) || lines[n-1] != "[[instances]]" {
				t.Errorf("%s: no check begins at %s", page, m[0])
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestEveryLinkLeadsSomewhere in the pages, headings included.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s leads to %s, which is not there", page, m[1])
				continue
			}
			if anchor != "" && !hasHeading(read(t, file), anchor) {
				t.Errorf("%s leads to %s, but there is no such heading", page, m[1])
			}
		}
	}
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// hasHeading: anchors are made of headings as GitHub does.
func hasHeading(text, anchor string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		made := strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-")
		if made == anchor {
			return true
		}
	}
	return false
}

// TestTheChineseREADMEIsWhole: as many headings, samples, rows and commands as the English one.
func TestTheChineseREADMEIsWhole(t *testing.T) {
	t.Parallel()
	english, chinese := read(t, "../README.md"), read(t, "../README.zh-CN.md")
	for what, pattern := range map[string]string{
		"headings": `(?m)^#+ `, "rows": `(?m)^\|`, "samples": "(?m)^```", "links": `\]\((?:docs/|CONTR|LICENSE)`, "commands": "\\| `catpaw ",
	} {
		re := regexp.MustCompile(pattern)
		if e, c := len(re.FindAllString(english, -1)), len(re.FindAllString(chinese, -1)); e != c {
			t.Errorf("%s: %d in English, %d in Chinese", what, e, c)
		}
	}
}
