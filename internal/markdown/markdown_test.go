package markdown

import "testing"

func TestList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		items []string
		total int
		want  string
	}{
		{"all fit", []string{"one", "two"}, 2, "[MD]\n- **files**: 2\n  - one\n  - two"},
		{"some were not kept", []string{"one", "two"}, 9, "[MD]\n- **files**: 9\n  - one\n  - two\n  - … and 7 more"},
		{"some do not fit", []string{"one", "two", "a name of many bytes"}, 3, "[MD]\n- **files**: 3\n  - one\n  - two\n  - … and 1 more"},
		{"none", nil, 0, "[MD]\n- **files**: 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b Builder
			if got := b.List("files", c.items, c.total, 20).String(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
