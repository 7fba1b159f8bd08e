package flashduty

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"catpaw/pipeline"
)

// What FlashDuty takes, in characters (it refuses more, and cuts descriptions without a word).
const (
	maxAlertKey    = 255
	maxTitleRule   = 512
	maxDescription = 2048
	maxLabels      = 50
	maxLabelKey    = 128
	maxLabelValue  = 2048
)

// wire is the event as it is sent: these six fields, in this order.
type wire struct {
	Time        int64             `json:"event_time"`
	Status      string            `json:"event_status"`
	AlertKey    string            `json:"alert_key"`
	Labels      map[string]string `json:"labels"`
	TitleRule   string            `json:"title_rule"`
	Description string            `json:"description"`
}

// fit returns the message's wire, byte for byte as it was committed where FlashDuty takes it so, else
// with the fields cut to FlashDuty's limits and a note in the description that says which.
func fit(m *pipeline.Message) ([]byte, error) {
	raw := m.Wire()
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, fmt.Errorf("stored event cannot be read: %w", err)
	}
	notes := w.cut()
	if len(notes) == 0 && utf8.RuneCountInString(w.Description) <= maxDescription {
		return raw, nil
	}
	w.Description = withNotes(w.Description, notes)
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(w); err != nil {
		return nil, fmt.Errorf("event cannot be encoded: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// cut shortens everything but the description and says what it did.
func (w *wire) cut() (notes []string) {
	if utf8.RuneCountInString(w.AlertKey) > maxAlertKey {
		sum := md5.Sum([]byte(w.AlertKey)) // a shortened key could be that of another alert
		w.AlertKey = hex.EncodeToString(sum[:])
		notes = append(notes, "alert_key (replaced by its MD5)")
	}
	if n := utf8.RuneCountInString(w.TitleRule); n > maxTitleRule {
		w.TitleRule = shorten(w.TitleRule, maxTitleRule)
		notes = append(notes, fmt.Sprintf("title_rule (of %d characters)", n))
	}
	return append(notes, w.cutLabels()...)
}

func (w *wire) cutLabels() (notes []string) {
	labels := make(map[string]string, len(w.Labels))
	left := 0
	for _, key := range inOrderOfWorth(w.Labels) {
		value, short := w.Labels[key], shorten(key, maxLabelKey)
		if _, taken := labels[short]; taken || len(labels) == maxLabels {
			left++
			continue
		}
		if short != key {
			notes = append(notes, fmt.Sprintf("name of label %s (of %d characters)", shorten(key, 32), utf8.RuneCountInString(key)))
		}
		if n := utf8.RuneCountInString(value); n > maxLabelValue {
			value = shorten(value, maxLabelValue)
			notes = append(notes, fmt.Sprintf("label %s (of %d characters)", shorten(key, 32), n))
		}
		labels[short] = value
	}
	if left > 0 {
		notes = append(notes, fmt.Sprintf("%d labels (left out)", left))
	}
	w.Labels = labels
	return notes
}

// inOrderOfWorth lists the keys: first those without which an alert makes no sense, then by name.
func inOrderOfWorth(labels map[string]string) []string {
	first := []string{"check", "target", "from_plugin", "from_hostname", "from_hostip", "from_agent"}
	first = slices.DeleteFunc(first, func(key string) bool { _, ok := labels[key]; return !ok })
	rest := slices.DeleteFunc(slices.Sorted(maps.Keys(labels)), func(key string) bool { return slices.Contains(first, key) })
	return append(first, rest...)
}

// withNotes adds the notes and cuts the description so that both fit.
func withNotes(description string, notes []string) string {
	n := utf8.RuneCountInString(description)
	if n > maxDescription {
		notes = append(notes, fmt.Sprintf("description (of %d characters)", n))
	}
	note := "\n- **cut to FlashDuty's limits**: " + strings.Join(notes, ", ")
	if !strings.HasPrefix(description, "[MD]") {
		note = "\ncut to FlashDuty's limits: " + strings.Join(notes, ", ")
	}
	note = shorten(note, maxDescription/2)
	return shorten(description, maxDescription-utf8.RuneCountInString(note)) + note
}

// shorten cuts to so many whole characters, the last one being "…".
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
