package local_test

import (
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/accesstest"
	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestAccess(t *testing.T) {
	accesstest.Exercise(t, accesstest.Fixture{
		Open: func(*testing.T) workspace.Access { return local.Access{} },
	})
}
