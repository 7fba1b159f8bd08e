// Package templates words the errors of text/template for people who write templates into a configuration.
package templates

import (
	"fmt"
	"reflect"
	"strings"

	"catpaw/internal/config"
	"catpaw/internal/pattern"
)

var unknownField = pattern.Lazy(`at <.*>: can't evaluate field (\w+) in type .*`)

// Fault words an error of the template of that name: which line, and where it asks for what is not there, what
// there is. sees is what the template is executed on.
func Fault(err error, name string, sees any) string {
	text, ours := strings.CutPrefix(err.Error(), "template: "+name+":")
	position, message, found := strings.Cut(text, ": ")
	if !ours || !found {
		return err.Error()
	}
	line, _, _ := strings.Cut(position, ":")
	if field := unknownField().FindStringSubmatch(message); field != nil {
		names := fieldsOf(sees)
		hint := config.DidYouMean("."+field[1], names)
		if hint == "" {
			hint = "."
		}
		message = fmt.Sprintf(".%s is not there%s Known: %s", field[1], hint, strings.Join(names, ", "))
	}
	switch {
	case strings.Contains(message, `bad character U+002D '-'`):
		message += ` (a name with other signs is {{index .Labels "my-label"}})`
	case strings.Contains(message, "bad character"), strings.Contains(message, "unclosed action"):
		message += " (is there a }} for each {{?)"
	}
	return fmt.Sprintf("line %s of the template: %s", line, message)
}

// fieldsOf names what a template may ask a struct for.
func fieldsOf(sees any) (names []string) {
	t := reflect.TypeOf(sees)
	for i := range t.NumField() {
		name := "." + t.Field(i).Name
		if t.Field(i).Type.Kind() == reflect.Map {
			name += ".NAME"
		}
		names = append(names, name)
	}
	return names
}
