package migrate

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"

	"catpaw/internal/config"
)

// The original gives every event a label target; here those probes that look at one thing have none, so that two checks
// of one probe would be one alert. These functions make it by the same rules.

// nameOfCommand is the first word of a command, without its directory.
func nameOfCommand(_ *translator, instance *config.Node, _ string, made map[string]any) ([]string, bool) {
	command := strings.Join(texts(instance.Get("command")), " ")
	if words, err := shellquote.Split(command); err == nil && len(words) > 0 {
		command = filepath.Base(words[0])
	}
	if command != "" {
		put(made, "labels.target", command)
	}
	return nil, true
}

// nameOfSearch is what is searched for. In 0.8 there is an option check instead.
func nameOfSearch(t *translator, instance *config.Node, _ string, made map[string]any) ([]string, bool) {
	if instance.Get("check") != nil {
		return nil, true
	}
	search := func(option string) string { return strings.TrimSpace(strings.Join(texts(instance.Get(option)), "")) }
	var parts []string
	for _, option := range []string{"search_exec_name", "search_cmdline"} {
		if text := search(option); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) > 1 {
		t.note(instance.Get("search_cmdline"), "search_exec_name alone counts beside search_cmdline: here they are not looked for together")
	}
	if user := search("search_user"); user != "" {
		parts = append(parts, "user:"+user)
	}
	target := strings.Join(parts, " && ")
	for _, option := range []string{"search_win_service", "search_pid_file"} { // these stand alone
		if text := search(option); text != "" {
			target = text
		}
	}
	if target != "" {
		put(made, "labels.target", target)
	}
	return nil, true
}

// nameOfFilter is the units, or else the first filter. In 0.8 there is an option check instead.
func nameOfFilter(_ *translator, instance *config.Node, _ string, made map[string]any) ([]string, bool) {
	units, filters := texts(instance.Get("units")), texts(instance.Get("filter_include"))
	target := strings.Join(units, ",")
	switch {
	case instance.Get("check") != nil:
		return nil, true
	case target != "":
	case len(filters) == 1:
		target = filters[0]
	case len(filters) > 1:
		target = fmt.Sprintf("%s(+%d)", filters[0], len(filters)-1)
	default:
		target = "journaltail"
	}
	put(made, "labels.target", target)
	return nil, true
}

// apart numbers the target of a check whose labels another one has already: the original mixes the two up, here they
// would be refused.
func (t *translator) apart(n, file *config.Node, part string, made map[string]any) {
	labels, _ := made["labels"].(map[string]any)
	target, isText := labels["target"].(string)
	if !isText || made["check"] == nil {
		return
	}
	all := map[string]any{}
	if shared := file.Get("labels"); shared != nil {
		all, _ = plain(shared).(map[string]any)
	}
	key := func() string {
		merged := maps.Clone(all)
		maps.Copy(merged, labels)
		words := []string{part, fmt.Sprint(made["check"])}
		for _, name := range slices.Sorted(maps.Keys(merged)) {
			words = append(words, fmt.Sprintf("%s=%v", name, merged[name]))
		}
		return strings.Join(words, "\x00")
	}
	first := t.taken[key()]
	for i := 2; t.taken[key()] != ""; i++ {
		labels["target"] = fmt.Sprintf("%s (%d)", target, i)
	}
	t.taken[key()] = n.Place()
	if first != "" {
		t.note(n, "the labels are those of the check at %s: target became %q; give it a better name", first, labels["target"])
	}
}
