package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Message is a committed event on its way to one sink. The event was encoded once, at the commit.
type Message struct {
	Status   Status
	AlertKey string
	wireLen  int
	json     []byte
}

// JSON returns the event as one object: the six fields of the wire, then id, title, first_fire_time,
// notify_count, delayed where it is true, and attrs. The slice must not be changed.
func (m *Message) JSON() []byte { return m.json }

// Wire returns the object with exactly the six fields of the wire, as a copy.
func (m *Message) Wire() []byte {
	wire := make([]byte, m.wireLen+1)
	copy(wire, m.json[:m.wireLen])
	wire[m.wireLen] = '}'
	return wire
}

// ID returns the event's id.
func (m *Message) ID() string { return string(m.RawID()) }

// RawID is the id as it stands in the JSON, right behind the wire. It must not be changed.
func (m *Message) RawID() []byte {
	start := m.wireLen + len(`,"id":"`)
	return m.json[start : start+idLength]
}

// Event decodes the event again, for sinks that need its parts. Labels and attrs come sorted by key.
func (m *Message) Event() (*Event, error) {
	var wire struct {
		Time          int64             `json:"event_time"`
		Labels        map[string]string `json:"labels"`
		TitleRule     string            `json:"title_rule"`
		Description   string            `json:"description"`
		FirstFireTime int64             `json:"first_fire_time"`
		NotifyCount   int               `json:"notify_count"`
		Delayed       bool              `json:"delayed"`
		Attrs         map[string]any    `json:"attrs"`
	}
	if err := json.Unmarshal(m.json, &wire); err != nil {
		return nil, fmt.Errorf("stored event cannot be read: %w", err)
	}
	event := &Event{
		Time: wire.Time, Status: m.Status, AlertKey: m.AlertKey, Labels: LabelsOf(wire.Labels),
		TitleRule: wire.TitleRule, Description: wire.Description, ID: m.ID(),
		FirstFireTime: wire.FirstFireTime, NotifyCount: wire.NotifyCount, Delayed: wire.Delayed,
	}
	for key, value := range wire.Attrs {
		event.Attrs = append(event.Attrs, Attr{key, value})
	}
	slices.SortFunc(event.Attrs, func(a, b Attr) int { return strings.Compare(a.Key, b.Key) })
	return event, nil
}

// NewMessage encodes an event as the commit point does; tests of outputs start from it.
func NewMessage(e *Event) *Message {
	m, err := DecodeMessage(e.AlertKey, appendMessage(nil, e))
	if err != nil {
		panic(err) // what appendMessage wrote, DecodeMessage reads
	}
	return m
}

// AppendResult appends a result as JSON: the six fields of the wire and the attrs. What makes it a
// notification, as the id, it does not have.
func AppendResult(b []byte, e *Event) []byte {
	return append(appendAttrs(appendWire(b, e), e.Attrs), '}')
}

// A stored message is the status (1 byte), the length of the wire (4 bytes, big endian), the JSON.
const messageHeader = 5

// appendMessage appends a message to an empty buffer.
func appendMessage(buffer []byte, e *Event) []byte {
	buffer = append(buffer, make([]byte, messageHeader)...)
	buffer = appendWire(buffer, e)
	buffer[0] = byte(e.Status)
	binary.BigEndian.PutUint32(buffer[1:], uint32(len(buffer)-messageHeader))
	return appendRest(buffer, e)
}

// DecodeMessage reads what the commit point wrote.
func DecodeMessage(key string, data []byte) (*Message, error) {
	if len(data) < messageHeader {
		return nil, errors.New("stored event is too short")
	}
	m := &Message{
		Status: Status(data[0]), AlertKey: key,
		wireLen: int(binary.BigEndian.Uint32(data[1:])), json: data[messageHeader:],
	}
	if m.wireLen+len(`,"id":""`)+idLength > len(m.json) {
		return nil, errors.New("stored event is cut short")
	}
	return m, nil
}

// appendWire appends the six fields, without the closing brace.
func appendWire(b []byte, e *Event) []byte {
	b = strconv.AppendInt(append(b, `{"event_time":`...), e.Time, 10)
	b = append(append(append(b, `,"event_status":"`...), e.Status.String()...), `","alert_key":`...)
	b = AppendString(b, e.AlertKey)
	b = append(b, `,"labels":`...)
	b = AppendLabels(b, e.Labels)
	b = append(b, `,"title_rule":`...)
	b = AppendString(b, e.TitleRule)
	b = append(b, `,"description":`...)
	return AppendString(b, e.Description)
}

// AppendLabels appends labels as a JSON object.
func AppendLabels(b []byte, labels Labels) []byte {
	b = append(b, '{')
	for i, label := range labels {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, label.Key)
		b = append(b, ':')
		b = AppendString(b, label.Value)
	}
	return append(b, '}')
}

// appendRest appends what other outputs add, the id first and always idLength bytes.
func appendRest(b []byte, e *Event) []byte {
	var id [idLength]byte
	for i := copy(id[:], e.ID); i < idLength; i++ {
		id[i] = ' '
	}
	b = append(append(append(b, `,"id":"`...), id[:]...), `","title":`...)
	b = AppendString(b, e.Title())
	b = strconv.AppendInt(append(b, `,"first_fire_time":`...), e.FirstFireTime, 10)
	b = strconv.AppendInt(append(b, `,"notify_count":`...), int64(e.NotifyCount), 10)
	if e.Delayed {
		b = append(b, `,"delayed":true`...)
	}
	return append(appendAttrs(b, e.Attrs), '}')
}

func appendAttrs(b []byte, attrs []Attr) []byte {
	if len(attrs) == 0 {
		return b
	}
	b = append(b, `,"attrs":`...)
	for i, attr := range attrs {
		b = append(b, "{,"[min(i, 1)])
		b = AppendString(b, attr.Key)
		b = append(b, ':')
		b = appendValue(b, attr.Value)
	}
	return append(b, '}')
}

func appendValue(b []byte, value any) []byte {
	if text, ok := value.(string); ok {
		return AppendString(b, text)
	}
	encoded, err := json.Marshal(value)
	if err != nil { // NaN, infinity, a channel: never worth losing the event
		return AppendString(b, fmt.Sprint(value))
	}
	return append(b, encoded...)
}

const hexDigits = "0123456789abcdef"

// AppendString appends a JSON string. Unlike encoding/json it leaves <, > and & readable; what is not
// UTF-8 becomes U+FFFD.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(append(b, s[start:i]...), "\uFFFD"...)
			start = i + 1
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}
