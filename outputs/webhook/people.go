package webhook

import (
	"html"
	"strings"
	"unicode/utf8"

	"catpaw/internal/pattern"
	"catpaw/pipeline"
)

// notice is what a person is told, before a service's dialect: a headline, and a text that is markdown
// as catpaw writes it (bold names, lists, code) or plain.
type notice struct {
	Headline string
	Text     string
	markdown bool
}

// marks are what the eye sees first.
var marks = map[pipeline.Status]string{pipeline.Critical: "🔴", pipeline.Warning: "🟠", pipeline.Info: "🔵", pipeline.Ok: "✅"}

func noticeOf(e *pipeline.Event) notice {
	status := e.Status.String()
	if e.Status == pipeline.Ok {
		status = "Recovered"
	}
	n := notice{Headline: marks[e.Status] + " " + status + ": " + e.Title()}
	if where := e.Where(); where != "" {
		n.Headline += ", " + where
	}
	if host := e.Labels.Get("from_hostname"); host != "" {
		n.Headline += " (" + host + ")"
	}
	n.Headline = cutTo(strings.Join(strings.Fields(n.Headline), " "), 200, characters)
	n.Text, n.markdown = strings.CutPrefix(e.Description, "[MD]")
	n.Text = strings.TrimSpace(n.Text)
	return n
}

// whole is headline and text in one, the headline made bold by strong.
func (n notice) whole(strong func(string) string) string {
	return strings.TrimSpace(strong(n.Headline) + "\n\n" + n.Text)
}

// characters and bytes are how services count.
func characters(text string) int { return utf8.RuneCountInString(text) }
func bytesOf(text string) int    { return len(text) }

const cutMark = "… (cut)"

// cutTo shortens to what a service takes, at a whole character, and says so.
func cutTo(text string, most int, size func(string) int) string {
	if size(text) <= most {
		return text
	}
	runes := []rune(text)
	for size(string(runes))+size(cutMark) > most && len(runes) > 0 {
		over := size(string(runes)) + size(cutMark) - most
		runes = runes[:len(runes)-max(1, over/utf8.UTFMax)]
	}
	return string(runes) + cutMark
}

// The markdown that catpaw's descriptions use.
var (
	code     = pattern.Lazy("(?s)```\n?(.*?)\n?```|`([^`\n]+)`")
	boldSpan = pattern.Lazy(`\*\*([^*\n]+)\*\*`)
)

// translate puts the text into a service's own marks: what stands in code, fenced or in a line, is none of markdown,
// and nothing reaches across it.
func (n notice) translate(plain, inLine, fenced func(text string) string) string {
	if !n.markdown {
		return plain(n.Text)
	}
	var b strings.Builder
	last := 0
	for _, at := range code().FindAllStringSubmatchIndex(n.Text, -1) {
		b.WriteString(plain(n.Text[last:at[0]]))
		if at[2] >= 0 {
			b.WriteString(fenced(n.Text[at[2]:at[3]]))
		} else {
			b.WriteString(inLine(n.Text[at[4]:at[5]]))
		}
		last = at[1]
	}
	b.WriteString(plain(n.Text[last:]))
	return b.String()
}

// asHTML makes what Telegram takes of it: <b>, <code>, <pre>, everything else as it is.
func (n notice) asHTML() string {
	within := func(tag string) func(string) string {
		return func(text string) string { return "<" + tag + ">" + html.EscapeString(text) + "</" + tag + ">" }
	}
	plain := html.EscapeString
	if n.markdown {
		plain = func(text string) string { return boldSpan().ReplaceAllString(html.EscapeString(text), "<b>$1</b>") }
	}
	return strings.TrimSpace(within("b")(n.Headline) + "\n\n" + n.translate(plain, within("code"), within("pre")))
}

// asSlack is mrkdwn (https://docs.slack.dev/messaging/formatting-message-text): one star for bold, and
// only three characters to escape.
func (n notice) asSlack() string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	within := func(mark string) func(string) string {
		return func(text string) string { return mark + escape(text) + mark }
	}
	plain := escape
	if n.markdown {
		plain = func(text string) string { return boldSpan().ReplaceAllString(escape(text), "*$1*") }
	}
	return strings.TrimSpace("*" + escape(n.Headline) + "*\n\n" + n.translate(plain, within("`"), within("```")))
}

// openTag is what begins a tag in the markdown of chats; one that a log line or a label brings along would colour the
// message or, as <at id=all>, call everybody.
var openTag = pattern.Lazy(`<([/@a-zA-Z])`)

// tame takes from tags what makes them tags, and leaves them looking the same: a blank of no width stands behind the <.
func tame(text string) string { return openTag().ReplaceAllString(text, "<\u200b$1") }

// asMarkdown is for services that take markdown as it is.
func (n notice) asMarkdown() string {
	return tame(n.whole(func(headline string) string { return "**" + headline + "**" }))
}
