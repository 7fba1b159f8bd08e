package filechange

import (
	"fmt"
	"strings"
	"testing"

	"catpaw/pipeline/pipetest"
)

func TestWrongOptionsAreToldAllAtOnce(t *testing.T) {
	t.Parallel()
	good := map[string]string{"check": `"c"`, "filepaths": `["/etc/*"]`}
	for _, row := range []struct{ option, value, want string }{
		{"check", `""`, `check: is missing: name the alert, as in check = "configuration changed"`},
		{"check", `" "`, "check: is missing"},
		{"filepaths", `["/etc/passwd", ""]`, "filepaths[1]: it is empty"},
		{"filepaths", `["/etc/[a"]`, "filepaths[0]: \"/etc/[a\" is not a glob: a [ or { is not closed"},
		{"filepaths", `["/etc/{a,b"]`, "is not a glob"},
		{"filepaths", `["/etc/a\u0000b"]`, "filepaths[0]: it holds a NUL byte"},
		{"filepaths", `"/etc/passwd"`, "filepaths"},
		{"exclude", `["/etc/[a"]`, "exclude[0]: \"/etc/[a\" is not a glob"},
		{"exclude", `[""]`, "exclude[0]: it is empty"},
		{"time_span", `0`, `time_span: must be more than 0, as in "3m"`},
		{"time_span", `"soon"`, "is not a duration"},
		{"timeout", `0`, `timeout: must be more than 0, as in "10s"`},
		{"max_files", `0`, "max_files: 0 is not between 1 and 100000"},
		{"max_files", `100001`, "max_files: 100001 is not between"},
		{"max_checksum_bytes", `0`, `max_checksum_bytes: must be more than 0, as in "256MiB"`},
		{"max_checksum_bytes", `"much"`, "is not a size"},
		{"checksum", `"yes"`, "checksum"},
		{"filepath", `["/x"]`, `did you mean "filepaths"?`},
	} {
		t.Run(row.option+" = "+row.value, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			for name, value := range good {
				if name != row.option {
					fmt.Fprintf(&text, "%s = %s\n", name, value)
				}
			}
			fmt.Fprintf(&text, "%s = %s\n", row.option, row.value)
			pipetest.WantError(t, pipetest.TryOptions(text.String(), New()), row.want)
		})
	}
	pipetest.WantError(t, pipetest.TryOptions("max_files = 0\ntime_span = 0\nexclude = [\"\"]", New()),
		"check: ", "max_files: ", "time_span: ", "exclude[0]: ")
	pipetest.WantError(t, pipetest.TryOptions("check = \"c\"\nfilepaths = [\"/a\", \"/b\"]\nmax_files = 1", New()),
		"filepaths: names 2 files, more than max_files = 1")
	pipetest.WantError(t, pipetest.TryOptions("check = \"c\"\nfilepaths = [\"/a\"]\nexclude = [\"*.swp\"]", New()),
		"exclude: takes away from what globs find, and filepaths has none")
}

func TestAConfigurationOfTheOriginal(t *testing.T) {
	t.Parallel()
	p := New()
	pipetest.Options(t, "time_span = \"3m\"\nfilepaths = [\"/etc/shadow\", \"/opt/app/conf/*.toml\"]\ncheck = \"important files changed\"", p)
	keys := p.Keys()
	if len(keys) != 1 || keys[0].String() != "check=important files changed" {
		t.Errorf("keys %v", keys)
	}
	if p.MaxGather() != p.Timeout.Std() || len(p.Warnings()) != 0 {
		t.Errorf("%v, %q", p.MaxGather(), p.Warnings())
	}
}

func TestADoubleStarInAWordIsWarnedOf(t *testing.T) {
	t.Parallel()
	p := New()
	pipetest.Options(t, "check = \"c\"\nfilepaths = [\"/etc/**\", \"/etc/**.conf\"]", p)
	if got := p.Warnings(); len(got) != 1 || !strings.Contains(got[0], `filepaths[1]: ** stands for directories only as a part of its own`) {
		t.Errorf("warnings %q", got)
	}
}
