package kafka

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

func topicsOf(rows []*row) []string {
	topics := map[string]bool{}
	for _, r := range rows {
		topics[r.topic] = true
	}
	return slices.Sorted(maps.Keys(topics))
}

// route finds the partition of every row and its leader. Rows that have none get their verdict.
func (w *write) route(ctx context.Context, rows []*row) map[string][]*shipment {
	topics, err := w.look(ctx, topicsOf(rows))
	if err != nil {
		w.fail(rows, err)
		return nil
	}
	byTopic := map[string][]*row{}
	for _, r := range rows {
		byTopic[r.topic] = append(byTopic[r.topic], r)
	}
	byLeader := map[string][]*shipment{}
	for _, topic := range topics {
		if topic.Error != nil || len(topic.Partitions) == 0 {
			w.fail(byTopic[topic.Name], w.noTopic(topic))
			continue
		}
		for _, s := range spread(topic, byTopic[topic.Name]) {
			if s.leader == "" {
				w.fail(s.rows, w.faultf("%s: partition %d of the topic %q has no leader now: is one of its brokers down?", w.name(), s.partition, s.topic))
				continue
			}
			byLeader[s.leader] = append(byLeader[s.leader], s)
		}
	}
	return byLeader
}

// spread deals rows out to partitions as Java clients do: by the murmur2 hash of the key, over all
// partitions, whether they have a leader or not. So the events of one alert stay in order.
func spread(topic kafka.Topic, rows []*row) (shipments []*shipment) {
	ids := make([]int, len(topic.Partitions))
	leaders := make(map[int]string, len(topic.Partitions))
	for i, partition := range topic.Partitions {
		ids[i] = partition.ID
		if leader := partition.Leader; leader.Host != "" && !errors.Is(partition.Error, kafka.LeaderNotAvailable) {
			leaders[partition.ID] = net.JoinHostPort(leader.Host, strconv.Itoa(leader.Port))
		}
	}
	slices.Sort(ids)
	balancer := kafka.Murmur2Balancer{Consistent: true}
	byPartition := map[int]*shipment{}
	for _, r := range rows {
		id := balancer.Balance(kafka.Message{Key: r.key}, ids...)
		s := byPartition[id]
		if s == nil {
			s = &shipment{topic: topic.Name, partition: id, leader: leaders[id]}
			byPartition[id] = s
			shipments = append(shipments, s)
		}
		s.rows = append(s.rows, r)
	}
	return shipments
}

// look returns the topics as the session knows them. Those that do not exist are created, where that is
// asked for.
func (w *write) look(ctx context.Context, names []string) ([]kafka.Topic, error) {
	topics, err := w.metadata(ctx, names)
	if err != nil || !w.CreateTopic {
		return topics, err
	}
	missing := unknown(topics)
	if len(missing) == 0 {
		return topics, nil
	}
	if err := w.create(ctx, missing); err != nil {
		return nil, err
	}
	w.fresh = true
	for tries := 0; ; tries++ {
		w.cluster.leave(w.session, outcome{failed: true}) // the next session takes a new look
		w.session = w.cluster.open(names)
		topics, err = w.metadata(ctx, names)
		if err != nil || ready(topics) || tries == settleTries || !pause(ctx, settleStep) {
			return topics, err
		}
	}
}

// The brokers of a cluster learn of a new topic one after the other, and that they lead it a little later.
// That is part of creating it, and waited for.
const (
	settleStep  = 50 * time.Millisecond
	settleTries = 20
)

// pause returns false when ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *write) metadata(ctx context.Context, names []string) ([]kafka.Topic, error) {
	response, err := w.session.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, w.failed(ctx, "", err)
	}
	return response.Topics, nil
}

func unknown(topics []kafka.Topic) (names []string) {
	for _, topic := range topics {
		if errors.Is(topic.Error, kafka.UnknownTopicOrPartition) {
			names = append(names, topic.Name)
		}
	}
	return names
}

// ready reports whether all topics have all their leaders.
func ready(topics []kafka.Topic) bool {
	return !slices.ContainsFunc(topics, func(topic kafka.Topic) bool {
		return topic.Error != nil || slices.ContainsFunc(topic.Partitions, func(p kafka.Partition) bool { return p.Leader.Host == "" })
	})
}

// create makes topics with the partitions and replicas that are the cluster's default. Another agent may
// be doing the same.
func (w *write) create(ctx context.Context, names []string) error {
	const byDefault = -1 // KIP-464, Kafka 2.4
	request := &kafka.CreateTopicsRequest{}
	for _, name := range names {
		request.Topics = append(request.Topics, kafka.TopicConfig{Topic: name, NumPartitions: byDefault, ReplicationFactor: byDefault})
	}
	response, err := w.session.CreateTopics(ctx, request)
	if err != nil {
		return w.failed(ctx, "", err)
	}
	for _, name := range names {
		if err := response.Errors[name]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return w.faultf("%s would not create the topic %q: %s", w.name(), name, w.explain(err))
		}
	}
	return nil
}
