// Package kafkatest tests the output kafka against clusters that know nothing of kafka-go: franz-go's
// in-process one, which can be made to fail in any way, and Apache Kafka itself (make test-kafka).
package kafkatest
