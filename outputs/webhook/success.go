package webhook

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"catpaw/internal/config"
	"catpaw/outputs/internal/post"
)

// Success says what the body of a 2xx answer must be like: some sinks report their failures as
// 200 with a code in the body. All conditions that are set must hold; with none, any 2xx is success.
type Success struct {
	// path of a field, such as `result.0.code`
	JSONField string `toml:"json_field"`
	// what it must be: its text, or its JSON where it is no text
	Equals *string `toml:"equals"`
	// what it must hold; without `json_field` the whole body
	Contains string `toml:"contains"`
	// pattern (RE2) that it must match; without `json_field` the whole body
	Regex string `toml:"regex"`

	regex *regexp.Regexp
}

// isSet reports whether anything is asked of the body.
func (s *Success) isSet() bool {
	return s.JSONField != "" || s.Equals != nil || s.Contains != "" || s.Regex != ""
}

func (s *Success) init() error {
	var errs []error
	switch {
	case s.JSONField != "" && s.Equals == nil:
		errs = append(errs, config.Field("success.json_field", `say what it must be: equals = "0"`))
	case s.JSONField == "" && s.Equals != nil:
		errs = append(errs, config.Field("success.equals", `say which field of the answer: json_field = "errcode"`))
	}
	if s.Regex != "" {
		var err error
		if s.regex, err = regexp.Compile(s.Regex); err != nil {
			errs = append(errs, config.Field("success.regex", "%v", err))
		}
	}
	return errors.Join(errs...)
}

// judge returns nil for success. A failure is to be tried again: what such sinks report is a limit
// reached or a wrong token far more often than a message that will never do.
func (s *Success) judge(answer *post.Answer) error {
	if !s.isSet() {
		return nil
	}
	if answer.Broken != nil {
		return answer.Broken
	}
	body := string(answer.Body)
	if s.Equals != nil {
		got, found := lookUp(answer.Body, s.JSONField)
		switch {
		case !found:
			return answer.Unhappy("without the field %s that success needs: %s", s.JSONField, answer.Excerpt())
		case got != *s.Equals:
			return answer.Unhappy("with %s not %q: %s", s.JSONField, *s.Equals, answer.Excerpt())
		}
	}
	if s.Contains != "" && !strings.Contains(body, s.Contains) {
		return answer.Unhappy("without %q: %s", s.Contains, answer.Excerpt())
	}
	if s.regex != nil && !s.regex.MatchString(body) {
		return answer.Unhappy("not as success.regex wants: %s", answer.Excerpt())
	}
	return nil
}

// lookUp finds a value in JSON by its path: "result.items.0.code".
func lookUp(body []byte, path string) (text string, found bool) {
	at := json.RawMessage(body)
	for _, step := range strings.Split(path, ".") {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(at, &object) == nil {
			if at, found = object[step]; !found {
				return "", false
			}
			continue
		}
		i, err := strconv.Atoi(step)
		if err != nil || json.Unmarshal(at, &list) != nil || i < 0 || i >= len(list) {
			return "", false
		}
		at = list[i]
	}
	if json.Unmarshal(at, &text) == nil && at[0] == '"' {
		return text, true
	}
	return strings.TrimSpace(string(at)), true
}
