package report

import (
	"bytes"
	"encoding/json"
	"strings"
)

// nodeText is a node as run.json has it: a uid that is null where there is none.
type nodeText struct {
	plainNode
	UID    *uint16 `json:"uid"`
	HasUID *bool   `json:"has_uid,omitempty"` // of the first release, whose uid was 0 without one
}

type plainNode Node

// MarshalJSON writes null for the uid of a node that holds none.
func (n Node) MarshalJSON() ([]byte, error) {
	t := nodeText{plainNode: plainNode(n)}
	if n.HasUID {
		t.UID = &n.UID
	}
	return json.Marshal(t)
}

// UnmarshalJSON reads what MarshalJSON writes, and nodes of the first release.
func (n *Node) UnmarshalJSON(text []byte) error {
	var t nodeText
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return err
	}
	*n = Node(t.plainNode)
	if n.HasUID = t.UID != nil && (t.HasUID == nil || *t.HasUID); n.HasUID {
		n.UID = *t.UID
	}
	return nil
}

// group is the node's group: what the scenario calls it, or, in folders that do not say, the node's
// name without the member's number.
func (n *Node) group() string {
	if n.Group != "" {
		return n.Group
	}
	if i := strings.LastIndexByte(n.Name, '-'); i > 0 && strings.Trim(n.Name[i+1:], "0123456789") == "" {
		return n.Name[:i]
	}
	return n.Name
}
