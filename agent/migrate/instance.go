package migrate

import (
	"maps"
	"slices"
	"strings"

	"catpaw/internal/config"
)

// probe translates a file of checks; nil where nothing of it belongs to this part.
func (t *translator) probe(file *config.Node, p probe, part string) map[string]any {
	out := map[string]any{}
	var made []map[string]any
	for _, key := range slices.Sorted(maps.Keys(file.Table())) {
		child := file.Get(key)
		list, isList := child.Value.(config.List)
		switch {
		case key == "interval" || key == "labels":
			out[key] = plain(child)
		case key == "instances" && isList:
			for _, instance := range list {
				for _, one := range t.instance(t.whole(instance), p, part) {
					t.apart(instance, file, part, one)
					made = append(made, one)
				}
			}
		case key == "partials" && !t.later: // nothing in them has another name here
			out[key] = plain(child)
		case key == "partials": // the instances have them
		case part == p.parts[0]:
			t.note(child, "%s has no counterpart and is left out", key)
		}
	}
	if len(made) == 0 {
		return nil
	}
	out["instances"] = made
	return out
}

// Options that every probe has.
var shared = []string{"interval", "labels", "partial"}

// policy are the options of [instances.alerting] that are the same.
var policy = []string{"enabled", "for_duration", "repeat_interval", "repeat_number", "recovery_notification", "default_severity"}

// opposites are those that say the contrary here.
var opposites = map[string]string{"disabled": "enabled", "disable_recovery_notification": "recovery_notification"}

// instance translates one for one part; nil where it has nothing to do there. It may become several.
func (t *translator) instance(n *config.Node, p probe, part string) []map[string]any {
	made := map[string]any{}
	var done []string
	if p.special != nil {
		var wanted bool
		if done, wanted = p.special(t, n, part, made); !wanted {
			return nil
		}
	}
	options := map[string]*config.Node{}
	flatten(n, "", options)
	severities := map[string]*config.Node{} // by what is judged
	for _, path := range slices.Sorted(maps.Keys(options)) {
		option := options[path]
		last := path[strings.LastIndexByte(path, '.')+1:]
		setting, ofPolicy := strings.CutPrefix(path, "alerting.")
		switch {
		case slices.Contains(done, path) || p.judged[path] != "":
		case slices.Contains(shared, path) || slices.Contains(p.same, path) || ofPolicy && slices.Contains(policy, setting):
			keep(made, path, option)
		case opposites[last] != "":
			off, _ := option.Value.(bool)
			put(made, "alerting."+opposites[last], !off)
		case p.moved[path] != "":
			put(made, p.moved[path], plain(option))
		case last == "severity":
			severities[strings.TrimSuffix(path, ".severity")] = option
		default:
			t.note(option, "%s has no counterpart and is left out", path)
		}
	}
	if p.check != "" && made["check"] == nil {
		made["check"] = p.check
	}
	return t.tiers(n, p, made, t.judgements(p, options, severities))
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

// opaque are tables whose keys are no options.
var opaque = []string{"labels", "env_vars", "headers", "expect"}

// flatten lists options by path; those of tables as table.option.
func flatten(n *config.Node, prefix string, into map[string]*config.Node) {
	for key, child := range n.Table() {
		path := prefix + key
		if child.Table() != nil && !slices.Contains(opaque, path) {
			flatten(child, path+".", into)
			continue
		}
		into[path] = child
	}
}
