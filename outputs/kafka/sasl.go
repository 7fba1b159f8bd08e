package kafka

import (
	"errors"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"catpaw/internal/config"
)

// mechanisms are the ways to log in, by the names that brokers know.
var mechanisms = []struct {
	name string
	make func(user, password string) (sasl.Mechanism, error)
}{
	{"PLAIN", func(user, password string) (sasl.Mechanism, error) {
		return plain.Mechanism{Username: user, Password: password}, nil
	}},
	{"SCRAM-SHA-256", func(user, password string) (sasl.Mechanism, error) {
		return scram.Mechanism(scram.SHA256, user, password)
	}},
	{"SCRAM-SHA-512", func(user, password string) (sasl.Mechanism, error) {
		return scram.Mechanism(scram.SHA512, user, password)
	}},
}

func (o *Output) judgeSASL() error {
	o.SASLMechanism = strings.ToUpper(o.SASLMechanism)
	if o.SASLMechanism == "" {
		return o.uselessSASL()
	}
	var errs []error
	if o.SASLUser == "" {
		errs = append(errs, config.Field("sasl_user", "it is missing beside sasl_mechanism"))
	}
	if o.SASLPassword == "" {
		errs = append(errs, config.Field("sasl_password", "it is missing beside sasl_mechanism"))
	}
	if strings.ContainsRune(o.SASLUser+o.SASLPassword.Reveal(), 0) {
		errs = append(errs, config.Field("sasl_password", "neither it nor sasl_user can hold a NUL"))
	}
	var names []string
	for _, mechanism := range mechanisms {
		names = append(names, mechanism.name)
	}
	at := slices.Index(names, o.SASLMechanism)
	if at < 0 {
		return errors.Join(append(errs, config.Field("sasl_mechanism", "%q is not one of %s%s", o.SASLMechanism,
			strings.Join(names, ", "), config.DidYouMean(o.SASLMechanism, names)))...)
	}
	login, err := mechanisms[at].make(o.SASLUser, o.SASLPassword.Reveal())
	if err != nil { // its text may hold what could not be prepared for SCRAM, which is the password
		errs = append(errs, config.Field("sasl_password", "it or sasl_user holds characters that SCRAM does not allow (RFC 4013)"))
	}
	o.login = login
	return errors.Join(errs...)
}

// uselessSASL finds a login that would silently not be used.
func (o *Output) uselessSASL() error {
	const needs = "needs sasl_mechanism beside it: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
	var errs []error
	if o.SASLUser != "" {
		errs = append(errs, config.Field("sasl_user", needs))
	}
	if o.SASLPassword != "" {
		errs = append(errs, config.Field("sasl_password", needs))
	}
	return errors.Join(errs...)
}
