package producer

import (
	"context"
	"fmt"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/message"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// currentMessage answers GetCurrentMessage (WS-BaseNotification 1.2 draft 1,
// 4.2, and 1.3, 4.3). The last message about the state is the one that told of
// the state the workspace is in; of its end there is none yet. Of several
// workspaces it is the one that changed last.
func (s Source) currentMessage(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	w, err := s.latest(ctx, c)
	if err != nil {
		return nil, err
	}
	edition := port.Notification(c.Face)
	expression, err := edition.ParseGetCurrentMessage(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	names, err := supported(c, expression)
	if err != nil {
		return nil, err
	}
	if len(names) > 1 {
		return nil, several(c, len(names))
	}
	topic, _ := message.TopicOf(c.Face, names[0])
	if w == nil || topic != workspace.TopicState {
		return nil, &wsrf.FaultError{
			Fault: edition.Names().NoCurrentMessageOnTopic,
			Err: c.Document.Errorf(topicPart(c), "a topic with a message",
				"there is no message on topic %s yet", expression),
		}
	}
	last := message.Content(c.Face, workspace.Event{
		Workspace: w.ID, Topic: topic, State: w.State, Fault: w.Fault, At: w.Changed,
	})
	return func(enc *xmlstrict.Encoder) {
		edition.WriteGetCurrentMessageResponse(enc, last)
	}, nil
}

// several is the error about an expression that names more topics than one. The
// draft has no fault of its own for that.
func several(c *dispatch.Call, topics int) error {
	names := port.Notification(c.Face).Names()
	fault := names.MultipleTopicsSpecified
	if c.Face == wsdl.One {
		fault = names.InvalidTopicExpression
	}
	return &wsrf.FaultError{Fault: fault, Err: c.Document.Errorf(topicPart(c),
		"one topic", "the expression names %d topics", topics)}
}

// latest returns the workspace whose message is the last one; nil when there is
// none.
func (s Source) latest(ctx context.Context, c *dispatch.Call) (*workspace.Workspace, error) {
	if !s.All {
		id, err := port.WorkspaceID(c)
		if err != nil {
			return nil, err
		}
		return s.Manager.Workspace(ctx, c.Owner, id)
	}
	all, err := s.Manager.Workspaces(ctx, c.Owner)
	if err != nil {
		return nil, fmt.Errorf("cannot read the workspaces: %w", err)
	}
	var last *workspace.Workspace
	for _, w := range all {
		if last == nil || w.Changed.After(last.Changed) {
			last = w
		}
	}
	return last, nil
}
