package pipeline

import (
	"bytes"
	"fmt"
	"time"

	"catpaw/store"
)

// lateAfter is the age from which a notification says that it comes late.
const lateAfter = time.Minute

// assemble makes the message of a parcel. One that waited long says so, and one that tells a whole
// alert, begun and over while the sink was down, gives both times; one that stands for those before it says so.
func assemble(parcel store.Parcel, now time.Time) (*Message, error) {
	last := parcel.Last()
	message, err := DecodeMessage(last.Key, last.Data)
	if err != nil || last.Time > now.Add(-lateAfter).Unix() && len(parcel.Rows) == 1 {
		return message, err
	}
	line := fmt.Sprintf("decided at %s, told %s later: this output could not deliver before",
		clock(last.Time), now.Sub(time.Unix(last.Time, 0)).Round(time.Second))
	if late := message.late(line); late != nil && len(parcel.Rows) == 1 {
		return late, nil
	}
	event, err := message.Event()
	if err != nil {
		return nil, err
	}
	event.Delayed = true
	switch left := earlier(len(parcel.Rows) - 1); {
	case left == "":
	case last.Closes:
		line = fmt.Sprintf("it began at %s and was over at %s; this output could not deliver, and %s out",
			clock(event.FirstFireTime), clock(event.Time), left)
	default:
		line += ", and " + left + " out"
	}
	event.Description = WithLine(event.Description, "delayed", line)
	return NewMessage(event), nil
}

func earlier(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "an earlier message of it is left"
	}
	return fmt.Sprintf("%d earlier messages of it are left", n)
}

// late is the message with a line in its description and the mark that it is delayed, nil where that takes
// more care. It patches the JSON: after an outage every event of a long queue comes this way, and to decode
// and encode it again would take 7 µs instead of 0.4.
func (m *Message) late(line string) *Message {
	const room = MaxDescription / 2 // bytes of JSON that are surely no longer than a description may be
	start := bytes.LastIndex(m.json[:m.wireLen], []byte(`,"description":"`))
	end := m.wireLen - len(`"`)
	if start < 0 || m.wireLen-start > room || bytes.Contains(m.json[m.wireLen:], []byte(`,"delayed":true`)) {
		return nil
	}
	start += len(`,"description":"`)
	note := WithLine("x", "delayed", line)[len("x"):]
	if bytes.HasPrefix(m.json[start:], []byte("[MD]")) {
		note = WithLine("[MD]", "delayed", line)[len("[MD]"):]
	} else if start == end {
		note = line
	}
	added := AppendString(nil, note)
	added = added[1 : len(added)-1]
	rest := m.json[m.wireLen:]
	mark := bytes.Index(rest, []byte(`,"attrs":{`)) // not in a string: there the quotes would be escaped
	if mark < 0 {
		mark = len(rest) - len(`}`)
	}
	json := make([]byte, 0, len(m.json)+len(added)+len(`,"delayed":true`))
	json = append(append(append(json, m.json[:end]...), added...), '"')
	wire := len(json)
	json = append(append(append(json, rest[:mark]...), `,"delayed":true`...), rest[mark:]...)
	return &Message{Status: m.Status, AlertKey: m.AlertKey, wireLen: wire, json: json}
}

func clock(unix int64) string { return time.Unix(unix, 0).Format(time.DateTime + " MST") }
