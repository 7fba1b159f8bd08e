package kafka

import (
	"errors"
	"fmt"
	"strings"

	"catpaw/internal/config"
	"catpaw/internal/printable"
	"catpaw/outputs/internal/address"
)

// What Kafka allows as a topic: org.apache.kafka.common.internals.Topic.
const maxTopic = 249

// maxValue is how many bytes of one value of an event go into a topic, so that none makes it too long.
const maxValue = 100

func (o *Output) judgeTopic() (err error) {
	o.topic, err = address.Parse(o.Topic, address.Rules{Value: topicValue, Judge: judgeTopicName})
	if err != nil {
		return config.Field("topic", "%v", err)
	}
	return nil
}

func inTopic(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '_' || r == '-'
}

// topicValue makes a value of an event safe to stand in a topic.
func topicValue(text string) string {
	return printable.Head(strings.Map(func(r rune) rune {
		if inTopic(r) {
			return r
		}
		return '_'
	}, text), maxValue)
}

func judgeTopicName(text string) error {
	switch {
	case text == "":
		return errors.New("it is empty")
	case text == "." || text == "..":
		return fmt.Errorf("%q cannot be a topic", text)
	case len(text) > maxTopic:
		return fmt.Errorf("it has %d characters, and a topic at most %d", len(text), maxTopic)
	}
	for _, r := range text {
		if !inTopic(r) {
			return fmt.Errorf("%q cannot be in a topic: letters, digits and ._- can", r)
		}
	}
	return nil
}
