package webhook

import (
	"html"
	"regexp"
	"strings"
	"unicode/utf8"

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

// The markdown that catpaw's descriptions use. Code comes first: nothing in it is markdown.
var (
	fenced   = regexp.MustCompile("(?s)```\n?(.*?)\n?```")
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	boldSpan = regexp.MustCompile(`\*\*([^*\n]+)\*\*`)
)

// asHTML makes what Telegram takes of it: <b>, <code>, <pre>, everything else as it is.
func (n notice) asHTML() string {
	text := html.EscapeString(n.Text)
	if n.markdown {
		text = fenced.ReplaceAllString(text, "<pre>$1</pre>")
		text = codeSpan.ReplaceAllString(text, "<code>$1</code>")
		text = boldSpan.ReplaceAllString(text, "<b>$1</b>")
	}
	return strings.TrimSpace("<b>" + html.EscapeString(n.Headline) + "</b>\n\n" + text)
}

// asSlack is mrkdwn (https://docs.slack.dev/messaging/formatting-message-text): one star for bold, and
// only three characters to escape.
func (n notice) asSlack() string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	text := escape(n.Text)
	if n.markdown {
		text = boldSpan.ReplaceAllString(text, "*$1*")
	}
	return strings.TrimSpace("*" + escape(n.Headline) + "*\n\n" + text)
}

// asMarkdown is for services that take markdown as it is.
func (n notice) asMarkdown() string {
	return n.whole(func(headline string) string { return "**" + headline + "**" })
}
