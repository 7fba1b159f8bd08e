// Package markdown writes the descriptions that people read at 3 a.m.: a list of bold names and values.
package markdown

import (
	"fmt"
	"strings"
)

// Builder collects the lines of one description. The zero value is empty; String begins with "[MD]".
type Builder struct{ text strings.Builder }

// Item adds `- **name**: value`, the value formatted as by fmt.Sprintf where args are given.
func (b *Builder) Item(name, format string, args ...any) *Builder {
	b.text.WriteString("\n- **")
	b.text.WriteString(name)
	b.text.WriteString("**: ")
	if len(args) == 0 {
		b.text.WriteString(format)
	} else {
		fmt.Fprintf(&b.text, format, args...)
	}
	return b
}

// List adds a named list, of which items are shown as far as they fit into so many bytes. total is how
// many there are, those beyond items counted; what is left out is said.
func (b *Builder) List(name string, items []string, total, room int) *Builder {
	shown, used := 0, 0
	for shown < len(items) && used+len(items[shown])+len(bullet) <= room {
		used += len(items[shown]) + len(bullet)
		shown++
	}
	b.Item(name, "%d", total)
	for _, item := range items[:shown] {
		b.text.WriteString(bullet)
		b.text.WriteString(item)
	}
	if shown < total {
		fmt.Fprintf(&b.text, bullet+"… and %d more", total-shown)
	}
	return b
}

const bullet = "\n  - "

// Code adds a named block of literal text. A fence inside the text cannot end it.
func (b *Builder) Code(name, text string) *Builder {
	b.text.WriteString("\n- **" + name + "**:\n\n```\n")
	b.text.WriteString(strings.ReplaceAll(strings.TrimRight(text, "\n"), "```", "'''"))
	b.text.WriteString("\n```\n")
	return b
}

// String returns the description, with the prefix that marks it as markdown.
func (b *Builder) String() string { return "[MD]" + b.text.String() }
