package producer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/message"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// subscribe answers Subscribe.
func (s Source) subscribe(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	var about workspace.ID
	if !s.All {
		id, err := port.WorkspaceID(c)
		if err != nil {
			return nil, err
		}
		about = id
	}
	edition := port.Notification(c.Face)
	asked, err := edition.ParseSubscribe(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	wish, err := s.wish(ctx, c, asked)
	if err != nil {
		return nil, err
	}
	wish.Workspace = about
	now := time.Now()
	made, err := s.Manager.Subscribe(ctx, wish)
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		edition.WriteSubscribeResponse(enc, wsn.Subscribed{
			Reference: port.SubscriptionEPR(c, made.ID), Now: now, Termination: made.Expires,
		})
	}, nil
}

// wish checks what a Subscribe asks for, and copies what is kept of it.
func (s Source) wish(
	ctx context.Context, c *dispatch.Call, asked wsn.Subscription,
) (workspace.Subscription, error) {
	wish, err := Wish(c, asked)
	if err != nil {
		return wish, err
	}
	at := part(c, asked.Edition.Names().ConsumerReference)
	if len(wish.Consumer) > maxKept {
		return wish, c.Document.Errorf(at, fmt.Sprintf("at most %d bytes", maxKept),
			"the consumer's reference is too large to be kept")
	}
	if sameHost(asked.Consumer.Address, c.Root) {
		wish.PullPoint, err = s.pullPoint(ctx, c, asked)
		return wish, err
	}
	if err := s.CheckConsumer(asked.Consumer.Address); err != nil {
		return wish, c.Document.Errorf(at, "the http address of a consumer that may be told", "%w",
			err)
	}
	return wish, nil
}

// Wish returns the subscription that is asked for, as far as it does not depend
// on who it is for: topics, conditions, form and end. Its errors have the faults
// that WS-BaseNotification names.
func Wish(c *dispatch.Call, asked wsn.Subscription) (workspace.Subscription, error) {
	wish := workspace.Subscription{
		Owner: c.Owner, Format: message.FormatOf(c.Face, version(c)),
		UseNotify: asked.UseNotify, Filter: asked.Filter.Bytes(),
	}
	if asked.Policy != nil {
		return wish, c.Document.Errorf(asked.Policy, "no SubscriptionPolicy",
			"there is no policy that is served here")
	}
	var err error
	if wish.Topics, err = topicsOf(c, asked); err != nil {
		return wish, err
	}
	if !asked.Topic.IsZero() {
		wish.Expression = asked.Topic.Bytes()
	}
	if len(wish.Expression)+len(wish.Filter) > maxKept {
		return wish, c.Document.Errorf(c.Body, fmt.Sprintf("at most %d bytes", maxKept),
			"the topics and conditions are too large to be kept")
	}
	if wish.Expires, err = expiry(c, asked); err != nil {
		return wish, err
	}
	wish.Address = strings.Clone(asked.Consumer.Address)
	if wish.Address == "" {
		return wish, nil
	}
	if err = asked.Consumer.CheckProperties(c.Document); err != nil {
		return wish, err
	}
	if wish.Consumer, err = consumer(asked); err != nil {
		return wish, c.Document.Errorf(part(c, asked.Edition.Names().ConsumerReference),
			"a reference that stands alone", "%w", err)
	}
	return wish, nil
}

// maxKept is how large a part of a Subscribe may be, in bytes, that is kept for
// as long as the subscription.
const maxKept = 8 << 10

// consumer returns the consumer's reference as an element of its own.
func consumer(asked wsn.Subscription) ([]byte, error) {
	enc := xmlstrict.NewEncoder()
	asked.Consumer.Write(enc, asked.Edition.Names().ConsumerReference, asked.Edition.Addressing())
	return enc.Bytes(), enc.Err()
}

// version returns the version of SOAP that the call came in.
func version(c *dispatch.Call) soap.Version {
	if xmlstrict.NameOf(c.Document.Root).Space == soap.V12.Space() {
		return soap.V12
	}
	return soap.V11
}

// part returns the part of the request that has that name; the request itself
// when it lacks one.
func part(c *dispatch.Call, name xmlstrict.Name) *etree.Element {
	if e := xmlstrict.Child(c.Body, name); e != nil {
		return e
	}
	return c.Body
}

// topicPart returns where the request has its topic expression.
func topicPart(c *dispatch.Call) *etree.Element {
	names := port.Notification(c.Face).Names()
	within := part(c, names.Filter)
	for _, name := range []xmlstrict.Name{names.TopicExpression, names.Topic} {
		if e := xmlstrict.Child(within, name); e != nil {
			return e
		}
	}
	return within
}

// topicsOf returns the topics that the expression names; where there is none,
// those that every client knows. WS-BaseNotification 1.3, 4.2, has no message held
// back for its topic then, but who names no topic reads states, and was not made
// for what came later.
func topicsOf(c *dispatch.Call, asked wsn.Subscription) ([]workspace.Topic, error) {
	names := message.Usual(c.Face)
	if !asked.Topic.IsZero() {
		var err error
		if names, err = supported(c, asked.Topic); err != nil {
			return nil, err
		}
	}
	topics := make([]workspace.Topic, 0, len(names))
	for _, name := range names {
		if topic, ok := message.TopicOf(c.Face, name); ok {
			topics = append(topics, topic)
		}
	}
	return topics, nil
}

// supported returns the names of the topics that the expression names.
func supported(c *dispatch.Call, expression wsn.TopicExpression) ([]xmlstrict.Name, error) {
	published := message.Topics(c.Face)
	if names := expression.Match(published); len(names) > 0 {
		return names, nil
	}
	var expected []string
	for _, name := range published {
		expected = append(expected, name.String())
	}
	return nil, &wsrf.FaultError{
		Fault: port.Notification(c.Face).Names().TopicNotSupported,
		Err: c.Document.Errorf(topicPart(c), strings.Join(expected, " or "),
			"topic %s is not published here", xmlstrict.Clip(expression.String())),
	}
}

// expiry returns when the subscription is to end; zero when that is not said.
func expiry(c *dispatch.Call, asked wsn.Subscription) (time.Time, error) {
	now := time.Now()
	at := asked.Termination.From(now)
	if at.IsZero() || at.After(now) {
		return at.UTC().Truncate(time.Millisecond), nil
	}
	names := asked.Edition.Names()
	err := c.Document.Errorf(part(c, names.InitialTerminationTime), "a time to come",
		"InitialTerminationTime %s has passed", wsrf.FormatTime(at))
	if c.Face == wsdl.One {
		return at, err
	}
	return at, asked.Edition.Unacceptable(names.UnacceptableInitialTerminationTime, err)
}

// sameHost reports whether two URLs name the same host and port.
func sameHost(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Host != "" && placeOf(ua) == placeOf(ub)
}

// placeOf returns the host and port of a URL in the one way to write them.
func placeOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	host := strings.TrimRight(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().WithZone("").String()
	}
	return net.JoinHostPort(host, port)
}

// pullPoint returns the pull point of ours that the consumer is. Nothing else
// at this server may be one: who asks it asks with its own rights.
func (s Source) pullPoint(
	ctx context.Context, c *dispatch.Call, asked wsn.Subscription,
) (workspace.PullPointID, error) {
	names := asked.Edition.Names()
	at := part(c, names.ConsumerReference)
	u, err := url.Parse(asked.Consumer.Address)
	if err != nil || u.Path != wsdl.Two.Path()+port.PullPoint {
		return "", c.Document.Errorf(at, "a consumer elsewhere, or the reference of a pull point",
			"the consumer is this server itself")
	}
	if !asked.UseNotify {
		err := c.Document.Errorf(c.Body, "messages inside NotificationMessage",
			"a pull point does not hand out raw messages")
		if c.Face == wsdl.One {
			return "", err
		}
		return "", wsn.UnsupportedPolicy(err, names.UseRaw)
	}
	key, err := pullPointKey(asked.Consumer, u)
	if err != nil {
		return "", c.Document.Errorf(at, "the key of one pull point", "%w", err)
	}
	p, err := s.Manager.PullPoint(ctx, c.Owner, workspace.PullPointID(key))
	switch {
	case workspace.KindOf(err) == workspace.NotFound:
		return "", c.Document.Errorf(at, "the reference of a pull point of yours",
			"there is no pull point with the key %q", xmlstrict.Clip(key))
	case err != nil:
		return "", err
	}
	return p.ID, nil
}

// pullPointKey returns the one key that the reference of a pull point holds, as
// a parameter or in its address. Which pull point is meant must not depend on
// the reader.
func pullPointKey(consumer wsa.EPR, address *url.URL) (string, error) {
	keys := address.Query()[dispatch.KeyParameter]
	for _, p := range consumer.Properties {
		if xmlstrict.Is(p, port.PullPointKey) {
			keys = append(keys, xmlstrict.Text(p))
		}
	}
	keys = slices.Compact(keys)
	if len(keys) != 1 {
		return "", fmt.Errorf("the reference holds %d different keys of pull points", len(keys))
	}
	return keys[0], nil
}
