package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// written are commands in the pages: in lines of code, and in text between backticks.
var written = regexp.MustCompile("(?m)(?:^    (?:\\./)?|^\\./|`(?:\\./)?|sudo )catpaw( [^`\n|#]*)")

// TestEveryCommandInThePagesIsOne: its name and its flags are known.
func TestEveryCommandInThePagesIsOne(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatal(pattern, err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range written.FindAllStringSubmatch(string(text), -1) {
				words := strings.Fields(m[1])
				if len(words) == 0 || !regexp.MustCompile(`^-?[a-z]`).MatchString(words[0]) || isProse(words) {
					continue
				}
				seen++
				tryCommand(t, page, words)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d commands were seen", seen)
	}
}

// isProse: labels such as "catpaw is alive" are names of alerts.
func isProse(words []string) bool {
	switch words[0] {
	case "is", "state", "output", "clock", "test":
		return true
	case "check":
		return len(words) > 1 && (words[1] == "skips" || words[1] == "failed")
	}
	return false
}

func tryCommand(t *testing.T, page string, words []string) {
	t.Helper()
	if words[0] == "service" {
		return // it is there on Windows
	}
	cmd, rest, err := newRoot().Find(longFlags(words))
	if err != nil {
		t.Errorf("%s: catpaw %s: %v", page, strings.Join(words, " "), err)
		return
	}
	if cmd == cmd.Root() && !strings.HasPrefix(words[0], "-") && words[0] != "completion" {
		t.Errorf("%s: catpaw %s: there is no such command", page, strings.Join(words, " "))
	}
	for _, word := range rest {
		if word == "--" {
			return
		}
		name, isFlag := strings.CutPrefix(strings.Trim(word, "[]"), "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
			t.Errorf("%s: catpaw %s: there is no flag --%s", page, strings.Join(words, " "), name)
		}
	}
}
