package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// judged is one thing that the original judges in an instance, with a severity of its own.
type judged struct {
	what     string // such as "rtt", or "rtt.warn_ge"
	severity pipeline.Status
	option   string // that asks for it here; "" where nothing has to
	value    any
}

// judgements lists what an instance judges. severities are those that are written, by what is judged.
func (t *translator) judgements(p probe, options, severities map[string]*config.Node) (all []judged) {
	for _, what := range slices.Sorted(maps.Keys(severities)) {
		text := strings.Join(texts(severities[what]), "")
		severity, err := pipeline.ParseSeverity(text)
		switch {
		case err != nil:
			t.note(severities[what], "%s.severity: %v", what, err)
		case !p.isJudged(what): // else its option is there or nothing is judged
			all = append(all, judged{what: what, severity: severity})
		}
	}
	if p.always != "" && t.later && severities[p.always] == nil {
		all = append(all, judged{what: p.always, severity: pipeline.Critical})
	}
	for _, path := range slices.Sorted(maps.Keys(options)) {
		option := options[path]
		what, name, _ := strings.Cut(path, ".")
		severity := pipeline.Warning
		to := p.judged[path]
		if to == "" || isOff(name, option.Value) && !slices.Contains(p.zero, path) {
			continue
		}
		if strings.HasPrefix(name, "critical_") {
			severity = pipeline.Critical
		} else if written, err := pipeline.ParseSeverity(strings.Join(texts(severities[what]), "")); err == nil {
			severity = written
		}
		all = append(all, judged{what: path, severity: severity, option: to, value: plain(option)})
	}
	return all
}

// isJudged reports whether options ask for what is judged.
func (p probe) isJudged(what string) bool {
	for path := range p.judged {
		if strings.HasPrefix(path, what+".") {
			return true
		}
	}
	return false
}

// isOff: the original takes these for an option that is not there.
func isOff(name string, value any) bool {
	switch v := value.(type) {
	case config.List:
		return len(v) == 0
	case int64:
		return v == 0
	case float64:
		return v == 0
	case string:
		isThreshold := strings.HasPrefix(name, "warn_") || strings.HasPrefix(name, "critical_")
		span, err := config.ParseDuration(v)
		return v == "" || isThreshold && err == nil && span == 0
	}
	return false
}

// tier is the label that tells the checks apart that one instance became.
const tier = "tier"

// tiers makes the checks of an instance: here a check has one severity, so it becomes one check for each.
func (t *translator) tiers(n *config.Node, p probe, made map[string]any, all []judged) []map[string]any {
	severities := severitiesOf(all)
	alerting, _ := made["alerting"].(map[string]any)
	written := alerting["default_severity"] != nil
	if written || p.oneCheck || len(severities) < 2 {
		t.ask(n, made, all)
		if !written && len(severities) > 0 {
			put(made, "alerting.default_severity", severities[0].String())
		}
		if !written && len(severities) > 1 {
			t.note(n, "a check has one severity here: of %s it is %s", describe(all), severities[0])
		}
		return []map[string]any{made}
	}
	var checks []map[string]any
	for _, severity := range severities {
		check := clone(made)
		t.ask(n, check, slices.DeleteFunc(slices.Clone(all), func(j judged) bool { return j.severity != severity }))
		put(check, "alerting.default_severity", severity.String())
		put(check, "labels."+tier, strings.ToLower(severity.String()))
		checks = append(checks, check)
	}
	t.tiered = true
	t.note(n, "a check has one severity here: for %s this became %d checks, told apart by the label %s%s",
		describe(all), len(checks), tier, p.worse(all, severities[0]))
	return checks
}

// worse tells that what is always judged is judged by the worst check, too.
func (p probe) worse(all []judged, worst pipeline.Status) string {
	for _, j := range all {
		if j.what == p.always && p.always != "" && j.severity < worst {
			return fmt.Sprintf(". Every one of them judges %s: when that is bad, it is %s", j.what, worst)
		}
	}
	return ""
}

// ask sets the options for what is judged; of two that ask the same here, the first counts.
func (t *translator) ask(n *config.Node, made map[string]any, all []judged) {
	taken := map[string]string{}
	for _, j := range all {
		if j.option == "" {
			continue
		}
		if by := taken[j.option]; by != "" {
			t.note(n, "%s is left out: there is one option for it here, and %s is it. A second instance with other labels may have this one", j.what, by)
			continue
		}
		taken[j.option] = j.what
		put(made, j.option, j.value)
	}
}

// severitiesOf lists each once, the worst first.
func severitiesOf(all []judged) (severities []pipeline.Status) {
	for _, j := range all {
		severities = append(severities, j.severity)
	}
	slices.Sort(severities)
	slices.Reverse(severities)
	return slices.Compact(severities)
}

func describe(all []judged) string {
	var words []string
	for _, j := range all {
		words = append(words, j.what+" "+j.severity.String())
	}
	return strings.Join(words, ", ")
}

func clone(table map[string]any) map[string]any {
	copied := maps.Clone(table)
	for key, value := range copied {
		if inner, isTable := value.(map[string]any); isTable {
			copied[key] = clone(inner)
		}
	}
	return copied
}

// tierRules keep a lesser check silent while the worse one of the same thing fires, as one alert of the original would.
func (t *translator) tierRules() {
	if !t.tiered {
		return
	}
	rule := func(source string, targets ...string) map[string]any {
		return map[string]any{
			"source": map[string]any{tier: source}, "target": map[string]any{tier: targets}, "equal": []string{"from_plugin", "check", "target"},
		}
	}
	t.encode("tiers.toml", "# Made by catpaw migrate: where a check became several, one for each severity, the lesser are silent while the worse fires.",
		map[string]any{"processors": map[string]any{"inhibit": []any{rule("critical", "warning", "info"), rule("warning", "info")}}})
}
