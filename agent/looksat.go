package agent

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"catpaw/internal/printable"
	"catpaw/internal/redact"
	"catpaw/pipeline"
)

// looksAt tells people which check it is: the first few of its targets, or where it has none, what it calls itself. It
// fits a cell of a table, so that nobody who shows it cuts it again.
func looksAt(keys []pipeline.Labels) string {
	const most = 3
	names := lookedAt(keys, 20*most) // it has enough to name
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
	}
	return printable.Line(redact.Logins(strings.Join(names[:min(most, len(names))], ", ")), printable.Cell-len(more)) + more
}

// lookedAt are the different targets of a check, of many a few more than enough. A check's own name counts where it
// has no target: beside one it is no second.
func lookedAt(keys []pipeline.Labels, enough int) (names []string) {
	var own []string
	for _, key := range keys {
		if name := cmp.Or(key.Get("target"), key.Get("directory")); name == "" {
			own = append(own, key.Get("check"))
		} else if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if len(names) > enough {
			break
		}
	}
	if len(names) == 0 {
		return slices.Compact(own)
	}
	return names
}
