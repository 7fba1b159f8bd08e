// Package schematest holds the schemas for editors against a validator.
package schematest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// validate judges a TOML text as an editor would.
func validate(t *testing.T, schema, text string) error {
	t.Helper()
	compiled, err := jsonschema.NewCompiler().Compile("../../docs/schema/" + schema + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if _, err := toml.Decode(text, &value); err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(plain(value))
}

// plain makes of TOML's lists of tables what the validator knows.
func plain(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			v[key] = plain(child)
		}
	case []map[string]any:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = plain(child)
		}
		return list
	case []any:
		for i, child := range v {
			v[i] = plain(child)
		}
	}
	return value
}

// TestTheSchemasTakeWhatCatpawTakes: the shipped configuration, one for 0.8, one that migrate made.
func TestTheSchemasTakeWhatCatpawTakes(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, root := range []string{"../../conf.d", "../../agent/testdata/original", "../../agent/migrate/testdata/new"} {
		for _, pattern := range []string{"*.toml", "p.*/*.toml"} {
			files, err := filepath.Glob(filepath.Join(root, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				schema := "config"
				if dir := filepath.Base(filepath.Dir(file)); strings.HasPrefix(dir, "p.") {
					schema = dir
				}
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := validate(t, schema, string(text)); err != nil {
					t.Errorf("%s: %v", file, err)
				}
				seen++
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d files were seen", seen)
	}
}

func TestTheSchemasFindSlips(t *testing.T) {
	t.Parallel()
	for text, schema := range map[string]string{
		"[[instances]]\ntragets = ['http://a']":                           "p.http",
		"[[instances]]\ntargets = 'http://a'":                             "p.http",
		"[[instances]]\n[instances.alerting]\ndefault_severity = 'Grave'": "p.exec",
		"intervall = 5":                    "p.exec",
		"[globl]\ninterval = 5":            "config",
		"[[outputs.webhok]]\nurl = 'x'":    "config",
		"[outputs.webhook]\nurl = 'x'":     "config",
		"[[outputs.kafka]]\nbrokers = 'x'": "config",
		"[status]\nlisten = 8940":          "config",
	} {
		if validate(t, schema, text) == nil {
			t.Errorf("%s takes\n%s", schema, text)
		}
	}
}
