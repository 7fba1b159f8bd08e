package migrate

import (
	"maps"
	"slices"
	"strings"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// probe translates a file of checks; nil where nothing of it belongs to this part.
func (t *translator) probe(file *config.Node, p probe, part string) map[string]any {
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(file.Table())) {
		child := file.Get(key)
		list, isList := child.Value.(config.List)
		switch {
		case key == "interval" || key == "labels":
			out[key] = plain(child)
		case (key == "instances" || key == "partials") && isList:
			var made []any
			for _, instance := range list {
				if one := t.instance(instance, p, part, key == "instances"); one != nil {
					made = append(made, one)
				}
			}
			if len(made) > 0 {
				out[key] = made
			}
		case part == p.parts[0]:
			t.note(child, "%s has no counterpart and is left out", key)
		}
	}
	if out["instances"] == nil {
		return nil
	}
	return out
}

// Options that every probe has.
var shared = []string{"interval", "labels", "partial", "id"}

// policy are the options of [instances.alerting] that are the same.
var policy = []string{"enabled", "for_duration", "repeat_interval", "repeat_number", "recovery_notification", "default_severity"}

// opposites are those that say the contrary here.
var opposites = map[string]string{"disabled": "enabled", "disable_recovery_notification": "recovery_notification"}

// instance translates one check or partial for one part; nil where it has nothing to do there.
func (t *translator) instance(n *config.Node, p probe, part string, isInstance bool) map[string]any {
	made := map[string]any{}
	var done []string
	if p.special != nil {
		var wanted bool
		if done, wanted = p.special(t, n, part, made); !wanted && isInstance {
			return nil
		}
	}
	options := map[string]*config.Node{}
	flatten(n, "", options)
	severities := map[string]string{} // by what is judged
	for _, path := range slices.Sorted(maps.Keys(options)) {
		option := options[path]
		last := path[strings.LastIndexByte(path, '.')+1:]
		setting, ofPolicy := strings.CutPrefix(path, "alerting.")
		switch to := p.moved[path]; {
		case slices.Contains(done, path) || isThreshold(p, path):
		case slices.Contains(shared, path) || slices.Contains(p.same, path) || ofPolicy && slices.Contains(policy, setting):
			keep(made, path, option)
		case opposites[last] != "":
			off, _ := option.Value.(bool)
			put(made, "alerting."+opposites[last], !off)
		case to != "":
			put(made, to, plain(option))
		case last == "severity":
			severities[strings.TrimSuffix(path, ".severity")] = strings.Join(texts(option), "")
		default:
			t.note(option, "%s has no counterpart and is left out", path)
		}
	}
	t.thresholds(p, options, made, severities)
	t.severity(n, made, severities)
	if p.check != "" && made["check"] == nil && isInstance {
		made["check"] = p.check
	}
	return made
}

// keep copies an option as it is; tables are laid over what was made already.
func keep(made map[string]any, path string, option *config.Node) {
	table, isTable := plain(option).(map[string]any)
	before, _ := made[path].(map[string]any)
	if !isTable || before == nil {
		put(made, path, plain(option))
		return
	}
	maps.Copy(before, table)
}

// whole are tables whose keys are no options.
var whole = []string{"labels", "env_vars", "headers", "expect"}

// flatten lists options by path; those of tables as table.option.
func flatten(n *config.Node, prefix string, into map[string]*config.Node) {
	for key, child := range n.Table() {
		path := prefix + key
		if child.Table() != nil && !slices.Contains(whole, path) {
			flatten(child, path+".", into)
			continue
		}
		into[path] = child
	}
}

func isThreshold(p probe, path string) bool {
	for _, names := range p.thresholds {
		if slices.Contains(names, path) {
			return true
		}
	}
	return false
}

// thresholds takes one threshold of two: a check has one here, and one severity.
func (t *translator) thresholds(p probe, options map[string]*config.Node, made map[string]any, severities map[string]string) {
	for _, to := range slices.Sorted(maps.Keys(p.thresholds)) {
		taken := ""
		for _, path := range p.thresholds[to] {
			option := options[path]
			if option == nil || isZero(option.Value) {
				continue
			}
			if taken != "" {
				t.note(option, "%s is left out: there is one threshold here, and %s is it. A second instance with other labels may have this one", path, taken)
				continue
			}
			taken = path
			put(made, to, plain(option))
			what, name, _ := strings.Cut(path, ".")
			severities[what] = map[bool]string{true: "Critical", false: "Warning"}[strings.HasPrefix(name, "critical")]
		}
	}
}

func isZero(value any) bool {
	switch value {
	case int64(0), 0.0, "0", "0s", "":
		return true
	}
	return false
}

// severity makes one of the severities of all that is judged: the highest.
func (t *translator) severity(n *config.Node, made map[string]any, severities map[string]string) {
	alerting, _ := made["alerting"].(map[string]any)
	if len(severities) == 0 || alerting["default_severity"] != nil {
		return
	}
	var highest pipeline.Status
	differ := false
	var all []string
	for _, what := range slices.Sorted(maps.Keys(severities)) {
		severity, err := pipeline.ParseSeverity(severities[what])
		if err != nil {
			t.note(n, "%s.severity: %v", what, err)
			continue
		}
		differ = differ || highest != 0 && severity != highest
		highest = max(highest, severity)
		all = append(all, what+" "+severity.String())
	}
	if highest == 0 {
		return
	}
	put(made, "alerting.default_severity", highest.String())
	if differ {
		t.note(n, "a check has one severity here: of %s it is %s", strings.Join(all, ", "), highest)
	}
}
