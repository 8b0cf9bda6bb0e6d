// The requests that the driver can send with an SDK of 2021, which still was one module.
package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	kms "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/kms/v20190118"
	tcr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/tcr/v20190924"
)

var actions = map[string]func() (tchttp.Request, tchttp.Response){
	"CreateKey": func() (tchttp.Request, tchttp.Response) {
		return kms.NewCreateKeyRequest(), kms.NewCreateKeyResponse()
	},
	"DescribeKey": func() (tchttp.Request, tchttp.Response) {
		return kms.NewDescribeKeyRequest(), kms.NewDescribeKeyResponse()
	},
	"DescribeInstances": func() (tchttp.Request, tchttp.Response) {
		return tcr.NewDescribeInstancesRequest(), tcr.NewDescribeInstancesResponse()
	},
	"CreateNamespace": func() (tchttp.Request, tchttp.Response) {
		return tcr.NewCreateNamespaceRequest(), tcr.NewCreateNamespaceResponse()
	},
	"DescribeNamespaces": func() (tchttp.Request, tchttp.Response) {
		return tcr.NewDescribeNamespacesRequest(), tcr.NewDescribeNamespacesResponse()
	},
	"DeleteNamespace": func() (tchttp.Request, tchttp.Response) {
		return tcr.NewDeleteNamespaceRequest(), tcr.NewDeleteNamespaceResponse()
	},
}

func told(response tchttp.Response) ([]byte, error) {
	return json.Marshal(response)
}

func untyped(call) (tchttp.Request, tchttp.Response, error) {
	return nil, nil, errors.New("this SDK has no untyped request")
}

// This SDK has no setting for a proxy, but takes a transport.
func behind(proxy *url.URL, opened *common.Client, made *profile.ClientProfile) *common.Client {
	return opened.WithProfile(made).WithHttpTransport(&http.Transport{Proxy: http.ProxyURL(proxy)})
}
