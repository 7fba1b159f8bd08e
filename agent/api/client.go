package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client asks the agent that runs on a state directory; its methods are those of Agent that have their names.
type Client struct{ client *http.Client }

// Dial reaches the agent on a state directory. The error says that none runs there, or that it hangs.
func Dial(stateDir string) (*Client, error) {
	c, err := Reach(stateDir)
	if path := SocketPath(stateDir); err == nil && c == nil && len(path) > longestPath {
		err = fmt.Errorf("%s: the name is too long for a socket (%d bytes), so no catpaw can be asked there; use a shorter state_dir", path, longestPath)
	}
	if err == nil && c == nil {
		err = fmt.Errorf("no catpaw runs on the state directory %s; start it, or name another with --state-dir", stateDir)
	}
	return c, err
}

// longestPath is how long the name of a unix socket may be: 107 bytes on Linux, 103 elsewhere (unix(7)).
const longestPath = 103

// answerWithin is how long an agent may take to say that it is there.
const answerWithin = 5 * time.Second

// Reach is Dial, but returns nil where no agent runs.
func Reach(stateDir string) (*Client, error) { return reach(stateDir, answerWithin) }

// reach asks for an answer. That somebody accepts is not enough: a child an agent was starting as it was killed holds
// the agent's socket until it runs its own program.
func reach(stateDir string, within time.Duration) (*Client, error) {
	path := SocketPath(stateDir)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	const patience = time.Minute // a large queue takes a while
	q := &Client{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: patience}}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://catpaw/", nil) // any answer will do
	if err != nil {
		return nil, err
	}
	response, err := q.client.Do(request)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("whoever listens on %s does not answer within %s; is catpaw stopped, or hung?", path, within)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s is another user's: ask as that user, or with sudo (%w)", path, fs.ErrPermission)
	case err != nil:
		return nil, nil // nobody is there: the lock on the file has the last word
	}
	response.Body.Close()
	return q, nil
}

func (q *Client) List() (all []QueueStatus, err error) {
	return all, q.ask(http.MethodGet, "queues", nil, &all)
}

func (q *Client) Events(name string, dead bool, after uint64) (events []QueuedEvent, err error) {
	query := url.Values{"after": {strconv.FormatUint(after, 10)}}
	if dead {
		query.Set("dead", "1")
	}
	return events, q.ask(http.MethodGet, queuePath(name, "events"), query, &events)
}

func (q *Client) Purge(name string, dead bool) (n int, err error) {
	query := url.Values{}
	if dead {
		query.Set("dead", "1")
	}
	return n, q.ask(http.MethodPost, queuePath(name, "purge"), query, &n)
}

func (q *Client) Redrive(name, to string) (n int, err error) {
	return n, q.ask(http.MethodPost, queuePath(name, "redrive"), url.Values{"to": {to}}, &n)
}

func (q *Client) Status() (status Status, err error) {
	return status, q.ask(http.MethodGet, "status", nil, &status)
}

func (q *Client) Why(asked string) (why Why, err error) {
	return why, q.ask(http.MethodGet, "why", url.Values{"q": {asked}}, &why)
}

// Reload has the agent read its configuration again. The error holds every fault, one a line.
func (q *Client) Reload() (changes Changes, err error) {
	return changes, q.ask(http.MethodPost, "reload", nil, &changes)
}

func (q *Client) SetLogLevel(level string) (before string, err error) {
	return before, q.ask(http.MethodPost, "loglevel", url.Values{"level": {level}}, &before)
}

func (q *Client) Silences() (all []Silence, err error) {
	return all, q.ask(http.MethodGet, "silences", nil, &all)
}

func (q *Client) AddSilence(n NewSilence) (one Added, err error) {
	return one, q.send(http.MethodPost, "silences", n, &one)
}

func (q *Client) Follow(id int, p Process) (one Changed, err error) {
	return one, q.send(http.MethodPut, fmt.Sprintf("silences/%d/process", id), p, &one)
}

func (q *Client) EndSilence(id int) (one Changed, err error) {
	return one, q.ask(http.MethodDelete, fmt.Sprintf("silences/%d", id), nil, &one)
}

func (q *Client) Ack(key, by, reason string) (alert Acked, err error) {
	return alert, q.ask(http.MethodPost, "ack", url.Values{"key": {key}, "by": {by}, "reason": {reason}}, &alert)
}

func (q *Client) Unack(key string) (alert Acked, err error) {
	return alert, q.ask(http.MethodDelete, "ack", url.Values{"key": {key}}, &alert)
}

// Close lets go of the connection.
func (q *Client) Close() { q.client.CloseIdleConnections() }

func queuePath(name, what string) string { return "queues/" + url.PathEscape(name) + "/" + what }

func (q *Client) ask(method, path string, query url.Values, into any) error {
	return q.do(method, path+"?"+query.Encode(), nil, into)
}

func (q *Client) send(method, path string, value, into any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return q.do(method, path, bytes.NewReader(body), into)
}

func (q *Client) do(method, path string, body io.Reader, into any) error {
	request, err := http.NewRequest(method, "http://catpaw"+root+path, body)
	if err != nil {
		return err
	}
	response, err := q.client.Do(request)
	if err != nil {
		return fmt.Errorf("the running catpaw does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return errors.New(strings.TrimSpace(string(text)))
	}
	return json.NewDecoder(response.Body).Decode(into)
}
