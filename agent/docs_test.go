package agent

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"catpaw/agent/api"
	"catpaw/inputs"
	"catpaw/outputs"
	"catpaw/pipeline"
	"catpaw/processors"
)

// optionsOf lists the options of a struct as a user writes them; nested ones by their own name.
func optionsOf(v any) (names []string) {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		field := t.Field(i)
		name := strings.TrimPrefix(field.Tag.Get("toml"), "-") // "-" is no option
		if name != "" {
			names = append(names, name)
		}
		if field.Type.Kind() == reflect.Struct && (name != "" || field.Anonymous) {
			names = append(names, optionsOf(reflect.New(field.Type).Interface())...)
		}
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// wantExplained fails for options that a sample does not show, commented out or not, or that the
// README does not name.
func wantExplained(t *testing.T, what, sample, readme string, options []string) {
	t.Helper()
	for _, name := range options {
		shown := regexp.MustCompile(`(?m)(^|[{#, ])\s*` + name + `\s*=|\[[a-z.\[]*` + name + `\]`)
		if !shown.MatchString(sample) {
			t.Errorf("%s: the sample does not show the option %s", what, name)
		}
		if !strings.Contains(readme, "`"+name+"`") && !strings.Contains(readme, "."+name+"`") {
			t.Errorf("%s: README.md does not name the option %s", what, name)
		}
	}
}

func TestEveryOptionIsExplained(t *testing.T) {
	t.Parallel()
	readme := read(t, "../README.md")
	sharedOptions := append(optionsOf(shared{}), optionsOf(pipeline.Policy{})...)
	for name, construct := range inputs.Table() {
		sample := read(t, "../conf.d/p."+name+"/"+name+".toml")
		_, section, found := strings.Cut(readme, "\n### "+name)
		if !found {
			t.Errorf("README.md has no section on the probe %s", name)
		}
		wantExplained(t, name, sample, section, optionsOf(construct()))
		wantExplained(t, name, sample, readme, sharedOptions)
	}
	main := read(t, "../conf.d/config.toml")
	_, section, _ := strings.Cut(readme, "\n## Outputs") // several share the options of the way to the sink
	for name, kind := range outputs.Table() {
		found, described := strings.Contains(main, "[[outputs."+name+"]]"), strings.Contains(section, "\n### "+name)
		if !found || !described {
			t.Errorf("the output %s is missing in conf.d/config.toml (%v) or README.md (%v)", name, !found, !described)
		}
		wantExplained(t, name, main, section, optionsOf(kind.New()))
		wantExplained(t, name, main, readme, optionsOf(sharedOutput{}))
	}
	for name, construct := range processors.Table() {
		_, sample, found := strings.Cut(main, "[[processors."+name+"]]")
		if !found {
			t.Errorf("the processor %s is missing in conf.d/config.toml", name)
		}
		wantExplained(t, name, sample, readme, optionsOf(construct()))
	}
	for name, options := range map[string]any{"log": LogOptions{}, "global": global{}, "status": api.Options{}, "heartbeat": heartbeatOptions{}} {
		_, sample, found := strings.Cut(main, "["+name+"]")
		if !found {
			t.Errorf("[%s] is missing in conf.d/config.toml", name)
		}
		wantExplained(t, name, sample, readme, optionsOf(options))
	}
}
