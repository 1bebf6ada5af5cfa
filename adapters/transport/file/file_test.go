package file_test

import (
	"testing"

	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/adapters/transport/transporttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestTransport(t *testing.T) {
	transporttest.Exercise(t, transporttest.Fixture{
		Open: func(t *testing.T, repository string) workspace.Transport {
			transport, err := file.Open(repository)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { transport.Close() })
			return transport
		},
		Location: func(name string) string { return "file://" + name },
	})
}
