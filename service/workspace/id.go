package workspace

import (
	"fmt"
	"strconv"
)

// ID is the resource key of one workspace, a positive number that is never
// used twice. On the wire it is the decimal text of WorkspaceKey.
type ID int64

// String returns the decimal text of the key.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// ParseID reads the decimal text of a workspace key. The error has kind
// Invalid and repeats what was given.
func ParseID(text string) (ID, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, &Error{
			Op: "read the workspace key", Kind: Invalid, ID: text,
			Err: fmt.Errorf("%q is not a positive decimal number", clip(text)),
		}
	}
	return ID(n), nil
}

// GroupID is the resource key of a group, a UUID in text form.
type GroupID string

// SubscriptionID is the resource key of a subscription, a UUID in text form.
type SubscriptionID string

// PullPointID is the resource key of a pull point, a UUID in text form.
type PullPointID string

// HostID names one host (VMM node) of the pool, as the operator configured it.
type HostID string

// ChangeID numbers a durable operation; numbers rise and are never reused.
type ChangeID int64

// Owner is the identity of a caller: an X.509 distinguished name in Globus
// slash form, such as /O=Example/CN=Ada.
type Owner string

// clip keeps a stranger's text short enough for an error message.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
