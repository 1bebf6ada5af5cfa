package dispatch

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Header values that are the same in every reply, so that none is made anew.
var (
	contentTypes = [...][]string{
		soap.V11: {soap.V11.ContentType()}, soap.V12: {soap.V12.ContentType()},
	}
	hangUp = []string{"close"}
)

func itoa(n int) string { return strconv.Itoa(n) }

// newMessageID returns an identifier for a message of ours. It tells messages
// apart and proves nothing, so the fast generator will do.
func newMessageID() string {
	var id [16]byte
	for i := 0; i < len(id); i += 8 {
		n := rand.Uint64()
		for k := range 8 {
			id[i+k] = byte(n >> (8 * k))
		}
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4 (RFC 9562)
	text := make([]byte, 0, len("uuid:")+36)
	text = append(text, "uuid:"...)
	for i := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, id[i:i+1])
	}
	return string(text)
}

// newRequestID returns the short mark by which a fault is found in the log.
func newRequestID() string { return strconv.FormatUint(rand.Uint64()|1<<63, 36) }

// notFound answers for a path that leads nowhere.
func notFound(w http.ResponseWriter) {
	http.Error(w, "nothing is served here; services are under "+
		wsdl.One.Path()+" and "+wsdl.Two.Path(), http.StatusNotFound)
}
