package main

import (
	"fmt"
	"strings"

	"catpaw/internal/config"
)

// matching makes of the --match that were given the labels and globs of a silence.
func matching(all []string) (map[string]config.Strings, error) {
	match := map[string]config.Strings{}
	for _, one := range all {
		label, glob, ok := cutMatch(one)
		if !ok {
			return nil, fmt.Errorf("--match: %q is not LABEL=GLOB, as in check='disk*'", one)
		}
		match[label] = append(match[label], glob)
	}
	return match, nil
}

// cutMatch reads LABEL=GLOB. Blanks around either do not count, unless it stands in double quotes: within them all
// does, also = in a label. page.js reads the same.
func cutMatch(text string) (label, glob string, ok bool) {
	text = strings.TrimSpace(text)
	if rest, quoted := strings.CutPrefix(text, `"`); quoted {
		label, rest, _ = strings.Cut(rest, `"`)
		glob, ok = strings.CutPrefix(strings.TrimSpace(rest), "=")
	} else {
		label, glob, ok = strings.Cut(text, "=")
		label = strings.TrimSpace(label)
	}
	glob = strings.TrimSpace(glob)
	if inner := strings.TrimPrefix(glob, `"`); len(inner) < len(glob) && strings.HasSuffix(inner, `"`) {
		glob = strings.TrimSuffix(inner, `"`)
	}
	return label, glob, ok && label != ""
}
