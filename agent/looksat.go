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

// looksAt tells people which check it is: what it calls itself, and the first few of its targets.
func looksAt(input pipeline.Input) string {
	const most, longest = 3, 120
	keyed, ok := input.(pipeline.Keyed)
	if !ok {
		return ""
	}
	var names []string
	for _, own := range keyed.Keys() {
		if name := cmp.Or(own.Get("target"), own.Get("directory"), own.Get("check")); !slices.Contains(names, name) {
			names = append(names, name)
		}
		if len(names) > 20*most { // it has enough to name
			break
		}
	}
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
	}
	return printable.Line(redact.Logins(strings.Join(names[:min(most, len(names))], ", ")), longest) + more
}
