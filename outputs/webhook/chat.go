package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"catpaw/outputs/internal/post"
	"catpaw/pipeline"
)

type object = map[string]any

// slack is an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks):
// about one message a second, texts of up to 40,000 characters.
func slack() format {
	const most = 40_000
	return format{terse: true, rate: 60, render: func(_ *Output, e *pipeline.Event) (any, error) {
		return object{"text": cutTo(noticeOf(e).asSlack(), most, characters)}, nil
	}}
}

// dingTalk is a group robot (https://open.dingtalk.com/document/robots/custom-robot-access): 20 messages
// a minute, or it blocks for ten; 20,000 bytes; the signature stands in the query.
func dingTalk() format {
	const most = 20_000
	return format{terse: true, rate: 20, takes: []string{"secret"}, judge: codeIs("errcode", "0", "130101", "410100"),
		query: func(o *Output) url.Values {
			if o.Secret == "" {
				return nil
			}
			milliseconds := strconv.FormatInt(o.now().UnixMilli(), 10)
			return url.Values{"timestamp": {milliseconds}, "sign": {sign(o.Secret.Reveal(), milliseconds+"\n"+o.Secret.Reveal())}}
		},
		render: func(_ *Output, e *pipeline.Event) (any, error) {
			n := noticeOf(e)
			text := strings.ReplaceAll(n.asMarkdown(), "\n", "  \n") // there a line break needs two blanks
			return object{"msgtype": "markdown", "markdown": object{"title": n.Headline, "text": cutTo(text, most, bytesOf)}}, nil
		},
	}
}

// feishu is a group robot (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot): 100
// messages a minute, 20 KB; the signature stands in the body.
func feishu() format {
	const most = 15_000 // bytes of text, within the 20 KB of a request
	colours := map[pipeline.Status]string{pipeline.Critical: "red", pipeline.Warning: "orange", pipeline.Info: "blue", pipeline.Ok: "green"}
	return format{terse: true, rate: 100, takes: []string{"secret"}, judge: codeIs("code", "0", "9499", "11232"),
		render: func(o *Output, e *pipeline.Event) (any, error) {
			n := noticeOf(e)
			message := object{"msg_type": "interactive", "card": object{
				"header":   object{"template": colours[e.Status], "title": object{"tag": "plain_text", "content": n.Headline}},
				"elements": []any{object{"tag": "markdown", "content": cutTo(tame(n.Text), most, bytesOf)}},
			}}
			if o.Secret != "" {
				seconds := strconv.FormatInt(o.now().Unix(), 10)
				message["timestamp"], message["sign"] = seconds, sign(seconds+"\n"+o.Secret.Reveal(), "")
			}
			return message, nil
		},
	}
}

// sign is the signature of DingTalk and Feishu: HMAC-SHA256 in base64. The two differ in what is key and
// what is signed.
func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// weCom is a group robot (https://developer.work.weixin.qq.com/document/path/91770): 20 messages a minute,
// markdown of 4,096 bytes.
func weCom() format {
	const most = 4096
	return format{terse: true, rate: 20, judge: codeIs("errcode", "0", "45009"), render: func(_ *Output, e *pipeline.Event) (any, error) {
		return object{"msgtype": "markdown", "markdown": object{"content": cutTo(noticeOf(e).asMarkdown(), most, bytesOf)}}, nil
	}}
}

// telegram is a bot's sendMessage (https://core.telegram.org/bots/api#sendmessage): 4,096 characters, 20
// messages a minute to a group.
func telegram() format {
	const most = 3500 // characters of text, so that the marks around it fit as well
	return format{terse: true, url: "https://api.telegram.org", rate: 20, needs: []string{"token", "chat_id"}, judge: judgeTelegram,
		render: func(o *Output, e *pipeline.Event) (any, error) {
			n := noticeOf(e)
			n.Text = cutTo(n.Text, most, characters)
			return object{"chat_id": o.ChatID, "text": n.asHTML(), "parse_mode": "HTML", "link_preview_options": object{"is_disabled": true}}, nil
		},
	}
}

// judgeTelegram takes the pause that Telegram asks for from the body, and a chat that it does not know as
// a slip in the configuration, not in the event.
func judgeTelegram(answer *post.Answer, verdict error) error {
	if answer == nil {
		return verdict
	}
	if verdict == nil {
		if ok, _ := lookUp(answer.Body, "ok"); ok != "true" { // a proxy's page, say
			return answer.Unhappy("it does not answer as Telegram does: %s", answer.Excerpt())
		}
		return answer.Broken
	}
	if text, found := lookUp(answer.Body, "parameters.retry_after"); found {
		if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
			return pipeline.RetryAfter(verdict, min(time.Hour, time.Duration(seconds)*time.Second))
		}
	}
	if reason, _ := lookUp(answer.Body, "description"); pipeline.IsRefused(verdict) && strings.Contains(reason, "chat") {
		return pipeline.RetryAfter(answer.Unhappy("it does not know the chat: %s", answer.Excerpt()), time.Minute)
	}
	return verdict
}

// ntfy publishes as JSON (https://docs.ntfy.sh/publish/#publish-as-json): 4,096 bytes.
func ntfy() format {
	const most = 4000
	priorities := map[pipeline.Status]int{pipeline.Critical: 5, pipeline.Warning: 4, pipeline.Info: 3, pipeline.Ok: 3}
	tags := map[pipeline.Status]string{pipeline.Critical: "rotating_light", pipeline.Warning: "warning", pipeline.Info: "information_source", pipeline.Ok: "white_check_mark"}
	return format{terse: true, url: "https://ntfy.sh", needs: []string{"topic"}, render: func(o *Output, e *pipeline.Event) (any, error) {
		n := noticeOf(e)
		n.Headline = strings.TrimPrefix(n.Headline, marks[e.Status]+" ") // its tags show as emoji
		return object{
			"topic": o.Topic, "title": n.Headline, "message": cutTo(n.Text, most, bytesOf), "markdown": n.markdown,
			"priority": priorities[e.Status], "tags": []string{tags[e.Status]},
		}, nil
	}}
}
