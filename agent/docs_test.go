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

// wantShown fails for options that a sample does not show, commented out or not.
func wantShown(t *testing.T, what, sample string, options []string) {
	t.Helper()
	for _, name := range options {
		shown := regexp.MustCompile(`(?m)(^|[{#, ])\s*` + name + `\s*=|\[[a-z.\[]*` + name + `\]`)
		if !shown.MatchString(sample) {
			t.Errorf("%s: the sample does not show the option %s", what, name)
		}
	}
}

func TestEveryOptionIsShown(t *testing.T) {
	t.Parallel()
	sharedOptions := append(optionsOf(shared{}), optionsOf(pipeline.Policy{})...)
	for name, construct := range inputs.Table() {
		sample := read(t, "../conf.d/p."+name+"/"+name+".toml")
		wantShown(t, name, sample, append(optionsOf(construct()), sharedOptions...))
		wantPage(t, "probes/"+name)
	}
	main := read(t, "../conf.d/config.toml")
	for name, kind := range outputs.Table() {
		if !strings.Contains(main, "[[outputs."+name+"]]") {
			t.Errorf("the output %s is missing in conf.d/config.toml", name)
		}
		wantShown(t, name, main, append(optionsOf(kind.New()), optionsOf(sharedOutput{})...))
		wantPage(t, "outputs/"+name)
	}
	for name, construct := range processors.Table() {
		_, sample, found := strings.Cut(main, "[[processors."+name+"]]")
		if !found {
			t.Errorf("the processor %s is missing in conf.d/config.toml", name)
		}
		wantShown(t, name, sample, optionsOf(construct()))
	}
	for name, options := range map[string]any{"log": LogOptions{}, "global": global{}, "status": api.Options{}, "heartbeat": heartbeatOptions{}} {
		_, sample, found := strings.Cut(main, "["+name+"]")
		if !found {
			t.Errorf("[%s] is missing in conf.d/config.toml", name)
		}
		wantShown(t, name, sample, optionsOf(options))
	}
}

// wantPage wants a page of docs that leads to its part of the reference.
func wantPage(t *testing.T, name string) {
	t.Helper()
	anchor := map[string]string{"probes": "p", "outputs": "outputs"}[strings.Split(name, "/")[0]] + strings.Split(name, "/")[1]
	if !strings.Contains(read(t, "../docs/"+name+".md"), "(../configuration.md#"+anchor+")") {
		t.Errorf("docs/%s.md does not lead to the reference", name)
	}
}
