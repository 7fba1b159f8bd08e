package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// remote asks the agent that runs on a state directory.
type remote struct{ client *http.Client }

// answerWithin is how long an agent may take to say that it is there.
const answerWithin = 5 * time.Second

// dialAgent returns nil where no agent answers. That somebody accepts is not enough: a child an agent was
// starting as it was killed holds the agent's socket until it runs its own program.
func dialAgent(stateDir string, within time.Duration) (*remote, error) {
	path := socketPath(stateDir)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	const patience = time.Minute // a large queue takes a while
	q := &remote{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: patience}}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://catpaw/v1/queues", nil)
	if err != nil {
		return nil, err
	}
	response, err := q.client.Do(request)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("whoever listens on %s does not answer within %s; is catpaw stopped, or hung?", path, within)
	case err != nil:
		return nil, nil // nobody is there: the lock on the file has the last word
	}
	response.Body.Close()
	return q, nil
}

func (q *remote) List() (all []QueueStatus, err error) {
	return all, q.ask(http.MethodGet, "/v1/queues", nil, &all)
}

func (q *remote) Events(name string, dead bool, after uint64) (events []QueuedEvent, err error) {
	query := url.Values{"after": {strconv.FormatUint(after, 10)}}
	if dead {
		query.Set("dead", "1")
	}
	return events, q.ask(http.MethodGet, queuePath(name, "events"), query, &events)
}

func (q *remote) Purge(name string, dead bool) (n int, err error) {
	query := url.Values{}
	if dead {
		query.Set("dead", "1")
	}
	return n, q.ask(http.MethodPost, queuePath(name, "purge"), query, &n)
}

func (q *remote) Redrive(name, to string) (n int, err error) {
	return n, q.ask(http.MethodPost, queuePath(name, "redrive"), url.Values{"to": {to}}, &n)
}

func (q *remote) Close() { q.client.CloseIdleConnections() }

func queuePath(name, what string) string { return "/v1/queues/" + url.PathEscape(name) + "/" + what }

func (q *remote) ask(method, path string, query url.Values, into any) error {
	request, err := http.NewRequest(method, "http://catpaw"+path+"?"+query.Encode(), nil)
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
