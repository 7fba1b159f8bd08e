package pipeline

import (
	"fmt"
	"time"

	"catpaw/store"
)

// lateAfter is the age from which a notification says that it comes late.
const lateAfter = time.Minute

// assemble makes the message of a parcel. One that waited long says so, and one that tells a whole
// alert, begun and over while the sink was down, gives both times.
func assemble(parcel store.Parcel, now time.Time) (*Message, error) {
	last := parcel.Last()
	message, err := DecodeMessage(last.Key, last.Data)
	if err != nil || last.Time > now.Add(-lateAfter).Unix() && len(parcel.Rows) == 1 {
		return message, err
	}
	event, err := message.Event()
	if err != nil {
		return nil, err
	}
	event.Delayed = true
	line := fmt.Sprintf("decided at %s, told %s later: this output could not deliver before",
		clock(last.Time), now.Sub(time.Unix(last.Time, 0)).Round(time.Second))
	if len(parcel.Rows) > 1 {
		line = fmt.Sprintf("it began at %s and was over at %s; this output could not deliver, and %d earlier messages of it are left out",
			clock(event.FirstFireTime), clock(event.Time), len(parcel.Rows)-1)
	}
	event.Description = WithLine(event.Description, "delayed", line)
	return NewMessage(event), nil
}

func clock(unix int64) string { return time.Unix(unix, 0).Format(time.DateTime + " MST") }
