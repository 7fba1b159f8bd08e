package kafka

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

const (
	// metadataTTL bounds how old our picture of the cluster may be, and how long one look at it may take.
	// kafka-go looks every half of it on average.
	metadataTTL = 5 * time.Second
	idleTimeout = time.Minute // of a connection; brokers allow ten
	// maxTopics bounds the topics that the cluster is asked about, for templates that make more and more.
	maxTopics = 1000
	// doubtful is how old a session must be to be given up while part of what it sends gets through.
	doubtful = time.Second
)

// cluster keeps the session with the brokers, and starts a new one where that is of use. It is safe for
// concurrent use.
type cluster struct {
	dialer   *dialer
	login    sasl.Mechanism
	clientID string

	mu      sync.Mutex
	session *session // nil: none
}

// session is a client with its connections and its picture of the cluster.
type session struct {
	*kafka.Client
	transport *kafka.Transport
	topics    map[string]bool // that the picture shows
	born      time.Time

	users   int  // Writes; guarded by cluster.mu
	retired bool // closed when the last user leaves: a transport that is used after that would live for ever
}

func newCluster(d *dialer, login sasl.Mechanism, clientID string) *cluster {
	return &cluster{dialer: d, login: login, clientID: clientID}
}

// open returns a session that knows the topics, to be given back with leave. The topics of a transport are
// fixed, so another topic means another transport; asking about all topics of the cluster would be too
// much in large ones.
func (c *cluster) open(topics []string) *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil || !c.session.knows(topics) {
		known := map[string]bool{}
		if c.session != nil && len(c.session.topics)+len(topics) <= maxTopics {
			known = maps.Clone(c.session.topics)
		}
		for _, topic := range topics {
			known[topic] = true
		}
		c.retire()
		c.session = c.start(known)
	}
	c.session.users++
	return c.session
}

func (s *session) knows(topics []string) bool {
	return !slices.ContainsFunc(topics, func(topic string) bool { return !s.topics[topic] })
}

func (c *cluster) start(topics map[string]bool) *session {
	transport := &kafka.Transport{
		Dial:           c.dialer.dial,
		DialTimeout:    patience, // with TLS and login
		IdleTimeout:    idleTimeout,
		MetadataTTL:    metadataTTL,
		MetadataTopics: slices.Sorted(maps.Keys(topics)),
		ClientID:       c.clientID,
		SASL:           c.login,
	}
	// A client without a timeout would tell the brokers to wait for the replicas for 500 ms, whatever time
	// there is; with one it is half of what is left of the context, at most.
	const longest = time.Hour
	client := &kafka.Client{Addr: kafka.TCP(bootstrap), Transport: transport, Timeout: longest}
	return &session{Client: client, transport: transport, topics: topics, born: time.Now()}
}

// outcome is how a Write fared.
type outcome struct {
	failed    bool // something is to be tried again
	delivered bool // something got through
}

// leave gives a session back. After a failure it is given up: its picture of the cluster may be out of
// date, its connections may be dead, and its first error would be its answer for a while. Where the rest
// gets through, the trouble lies with a part of the cluster, and what works is not torn down all the time.
func (c *cluster) leave(s *session, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.users--
	if o.failed && c.session == s && !(o.delivered && time.Since(s.born) < doubtful) {
		c.retire()
	}
	s.closeUnused()
}

// retire lets go of the session, once nobody uses it.
func (c *cluster) retire() {
	if c.session != nil {
		c.session.retired = true
		c.session.closeUnused()
		c.session = nil
	}
}

func (s *session) closeUnused() {
	if s.retired && s.users == 0 {
		s.transport.CloseIdleConnections()
	}
}

func (c *cluster) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retire()
}
