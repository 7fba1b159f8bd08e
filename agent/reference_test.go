package agent

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"catpaw/agent/api"
	"catpaw/inputs"
	"catpaw/internal/config"
	"catpaw/outputs"
	"catpaw/pipeline"
	"catpaw/processors"
)

var update = flag.Bool("update", false, "write docs/configuration.md and docs/schema anew")

// option is one option as the reference shows it.
type option struct {
	name   string // with the tables that it lies in
	kind   kind
	def    string // as it is written, or in words
	text   string
	nested []option // of a table with options of its own
}

// kind is what an option may be: in words, and as JSON Schema (https://json-schema.org/draft-07).
type kind struct {
	words  string
	schema map[string]any
}

func simple(words string, types ...string) kind {
	if len(types) == 1 {
		return kind{words, map[string]any{"type": types[0]}}
	}
	return kind{words, map[string]any{"type": types}}
}

func listOf(words string, item kind) kind {
	return kind{words, map[string]any{"type": "array", "items": item.schema}}
}

var text = simple("text", "string")

// kinds are those of types with a meaning of their own.
var kinds = map[reflect.Type]kind{
	reflect.TypeFor[config.Duration]():   simple("duration", "string", "number"),
	reflect.TypeFor[config.Size]():       simple("size", "string", "integer"),
	reflect.TypeFor[config.Secret]():     simple("secret", "string"),
	reflect.TypeFor[config.Command]():    {"command", map[string]any{"type": []string{"string", "array"}, "items": text.schema}},
	reflect.TypeFor[config.Strings]():    {"text or list", map[string]any{"type": []string{"string", "array"}, "items": text.schema}},
	reflect.TypeFor[[]struct{}]():        {"tables", map[string]any{"type": "array"}},
	reflect.TypeFor[pipeline.Severity](): {"severity", map[string]any{"type": "string", "pattern": anyCase("info", "warning", "critical")}},
}

// anyCase is a pattern for words in any case; (?i) is not known to all editors.
func anyCase(words ...string) string {
	for i, word := range words {
		var b strings.Builder
		for _, r := range word {
			fmt.Fprintf(&b, "[%c%c]", unicode.ToUpper(r), r)
		}
		words[i] = b.String()
	}
	return "^(" + strings.Join(words, "|") + ")$"
}

func kindOf(t reflect.Type) kind {
	if known, ok := kinds[t]; ok {
		return known
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Bool:
		return simple("true or false", "boolean")
	case reflect.Int, reflect.Int64:
		return simple("number", "integer")
	case reflect.Float64:
		return simple("number", "number")
	case reflect.String:
		return text
	case reflect.Slice:
		item := kindOf(t.Elem())
		return listOf("list of "+strings.TrimSuffix(item.words, "s")+"s", item)
	case reflect.Map:
		item := kindOf(t.Elem())
		return kind{"table of " + item.words, map[string]any{"type": "object", "additionalProperties": item.schema}}
	}
	panic("no kind for " + t.String())
}

// comments are those of all fields of all structs of a package, by type and field.
type comments map[string]map[string]string

func (c comments) of(t *testing.T, owner reflect.Type, field string) string {
	t.Helper()
	dir := "../" + strings.TrimPrefix(owner.PkgPath(), "catpaw/")
	if c[dir] == nil {
		c[dir] = readComments(t, dir)
	}
	return c[dir][owner.Name()+"."+field]
}

func readComments(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	all := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if body, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range body.Fields.List {
					for _, name := range field.Names {
						all[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(cmp.Or(field.Doc.Text(), field.Comment.Text())), " ")
					}
				}
			}
			return true
		})
	}
	return all
}

var inWords = regexp.MustCompile(`^(?:(.*?)\.? ?)Default: (.*)\.$`)

// describe lists the options of a struct with its defaults; those without a comment are a fault.
func (c comments) describe(t *testing.T, options any) (all []option) {
	t.Helper()
	return c.fields(t, reflect.Indirect(reflect.ValueOf(options)))
}

func (c comments) fields(t *testing.T, v reflect.Value) (all []option) {
	t.Helper()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := field.Tag.Get("toml")
		switch {
		case field.Anonymous:
			all = append(all, c.fields(t, v.Field(i))...)
			continue
		case name == "" || name == "-":
			continue
		}
		o := option{name: name, text: c.of(t, v.Type(), field.Name)}
		if o.text == "" {
			t.Errorf("%s.%s, the option %s, has no comment", v.Type(), field.Name, name)
		}
		if field.Type.Kind() == reflect.Struct && kinds[field.Type].words == "" {
			o.kind.words = "table"
			o.nested = c.fields(t, v.Field(i))
		} else {
			o.kind = kindOf(field.Type)
			o.def = written(v.Field(i))
		}
		if m := inWords.FindStringSubmatch(o.text); m != nil {
			o.text, o.def = m[1], m[2]
		}
		all = append(all, o)
	}
	return all
}

// written is a default as one would write it, "" where it is nothing.
func written(v reflect.Value) string {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	code := func(text string) string { return "`" + text + "`" }
	switch x := v.Interface().(type) {
	case config.Duration:
		if x == 0 {
			return code("0")
		}
		return code(fmt.Sprintf("%q", x.String()))
	case config.Size:
		return code(size(int64(x)))
	case pipeline.Severity:
		if x == 0 {
			return ""
		}
		return code(fmt.Sprintf("%q", pipeline.Status(x).String()))
	case config.Secret:
		return ""
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return code(fmt.Sprint(v.Interface()))
	case reflect.String:
		if v.String() != "" {
			return code(fmt.Sprintf("%q", v.String()))
		}
	case reflect.Slice:
		if v.Len() > 0 {
			return code(fmt.Sprintf("%q", v.Interface()))
		}
	}
	return ""
}

func size(n int64) string {
	for _, unit := range []string{"", "KiB", "MiB", "GiB"} {
		if n < 1<<10 || n%(1<<10) != 0 {
			if unit == "" {
				return fmt.Sprint(n)
			}
			return fmt.Sprintf("%q", fmt.Sprint(n)+unit)
		}
		n >>= 10
	}
	return fmt.Sprint(n)
}

// section is a heading of the reference with its options.
type section struct {
	title, about string
	options      []option
}

// reference is all there is to configure.
func reference(t *testing.T) (main, probes []section) {
	t.Helper()
	c := comments{}
	main = []section{
		{"`[global]`", "", c.describe(t, global{Interval: config.Duration(defaultInterval)})},
		{"`[log]`", "", c.describe(t, defaultLogOptions())},
		{"`[status]`", "The [status page and the API](operating.md#status-page-health-metrics-api).", c.describe(t, api.Options{})},
		{"`[heartbeat]`", "See [operating](operating.md#a-heartbeat).", c.describe(t, defaultHeartbeat())},
	}
	for _, name := range slices.Sorted(maps.Keys(processors.Table())) {
		main = append(main, section{"`[[processors." + name + "]]`", "See [alerting](alerting.md#silences-acknowledgements-inhibition).", c.describe(t, processors.Table()[name]())})
	}
	main = append(main, section{"every output", "What each `[[outputs.X]]` may have beside its own options; see [delivery](delivery.md).", c.describe(t, defaultOutput())})
	for _, name := range slices.Sorted(maps.Keys(outputs.Table())) {
		main = append(main, section{"`[[outputs." + name + "]]`", "See [" + name + "](outputs/" + name + ".md).", c.describe(t, outputs.Table()[name].New())})
	}
	policy := shared{Alerting: pipeline.DefaultPolicy()}
	probes = []section{
		{"every file", "At the top of a file in `conf.d/p.<probe>/`, before its `[[instances]]`.", c.describe(t, pluginFile{})},
		{"every instance", "What each `[[instances]]` and `[[partials]]` may have beside the options of its probe.", c.describe(t, policy)},
	}
	for _, name := range slices.Sorted(maps.Keys(inputs.Table())) {
		probes = append(probes, section{"p." + name, "See [" + name + "](probes/" + name + ".md).", c.describe(t, inputs.Table()[name]())})
	}
	return main, probes
}

func (s section) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n", s.title)
	if s.about != "" {
		fmt.Fprintf(b, "%s\n\n", s.about)
	}
	b.WriteString("| option | type | default | |\n|---|---|---|---|\n")
	rows(b, "", s.options)
}

func rows(b *strings.Builder, prefix string, options []option) {
	for _, o := range options {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", prefix+o.name, o.kind.words, cmp.Or(o.def, "–"), strings.ReplaceAll(o.text, "|", `\|`))
		rows(b, prefix+o.name+".", o.nested)
	}
}

const begin, end = "<!-- made by make docs from the source: begin -->\n", "<!-- end -->\n"

// TestTheDocsAreThoseOfTheSource: docs/configuration.md holds every option, its type, default and meaning; docs/schema is
// for editors. With a fault in any of it nothing is written.
func TestTheDocsAreThoseOfTheSource(t *testing.T) {
	t.Parallel()
	main, probes := reference(t)
	files := schemas(t, main, probes)
	const page = "../docs/configuration.md"
	files[page] = withReference(t, page, main, probes)
	found, err := filepath.Glob("../docs/schema/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		if files[name] == "" {
			t.Errorf("%s is of no probe: remove it", name)
		}
	}
	if t.Failed() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		want(t, name, files[name])
	}
}

// withReference is the page with the reference that the source makes.
func withReference(t *testing.T, file string, main, probes []section) string {
	t.Helper()
	var made strings.Builder
	made.WriteString("\n## conf.d/*.toml\n")
	for _, s := range main {
		s.markdown(&made)
	}
	made.WriteString("\n## conf.d/p.PROBE/*.toml\n")
	for _, s := range probes {
		s.markdown(&made)
	}
	made.WriteString("\n")
	page := read(t, file)
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has lost its marks", file)
	}
	return before + begin + made.String() + end + after
}

// want compares a file with what it ought to be.
func want(t *testing.T, file, content string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != content {
		t.Errorf("%s is not what the source says (%v): make docs writes it anew", file, err)
	}
}

// schema is that of a table of options.
func schema(options []option) map[string]any {
	properties := map[string]any{}
	for _, o := range options {
		one := map[string]any{}
		if o.nested != nil {
			one = schema(o.nested)
		} else {
			maps.Copy(one, o.kind.schema)
		}
		one["description"] = strings.TrimSpace(o.text + map[bool]string{true: " (default: " + o.def + ")", false: ""}[o.def != ""])
		properties[o.name] = one
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}

func tables(options []option) map[string]any {
	return map[string]any{"type": "array", "items": schema(options)}
}

// schemas are the files of docs/schema by name.
func schemas(t *testing.T, main, probes []section) map[string]string {
	t.Helper()
	of := map[string]section{}
	for _, s := range append(main, probes...) {
		of[strings.Trim(s.title, "`[]")] = s
	}
	config := map[string]any{"flashduty": schema(slices.Concat(of["every output"].options, of["outputs.flashduty"].options))}
	kindsOf := map[string]map[string]any{"processors": {}, "outputs": {}}
	for title, s := range of {
		group, name, grouped := strings.Cut(title, ".")
		switch {
		case group == "processors":
			kindsOf[group][name] = tables(s.options)
		case group == "outputs":
			kindsOf[group][name] = tables(slices.Concat(of["every output"].options, s.options))
		case !grouped && strings.HasPrefix(s.title, "`["):
			config[title] = schema(s.options)
		}
	}
	for group, properties := range kindsOf {
		config[group] = map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	}
	files := map[string]map[string]any{"config.json": config}
	for _, name := range slices.Sorted(maps.Keys(inputs.Table())) {
		instance := slices.Concat(of["every instance"].options, of["p."+name].options)
		partial := append(slices.Clone(instance), option{name: "id", kind: text, text: "the name that instances call it by"})
		file := schema(of["every file"].options)["properties"].(map[string]any)
		file["instances"], file["partials"] = tables(instance), tables(partial)
		files["p."+name+".json"] = file
	}
	made := map[string]string{}
	for name, properties := range files {
		whole := map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": properties, "additionalProperties": false}
		encoded, err := json.MarshalIndent(whole, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		made["../docs/schema/"+name] = string(encoded) + "\n"
	}
	return made
}
