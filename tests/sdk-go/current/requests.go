// The requests that the driver can send with the current SDK.
//
// The SDK's module for TCR is not to be had from every module proxy, so its requests are written here as the SDK's generator
// writes them; what encodes, signs and sends them is the SDK's.
package main

import (
	"encoding/json"
	"net/url"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	kms "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/kms/v20190118"
	sts "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813"
)

var actions = map[string]func() (tchttp.Request, tchttp.Response){
	"GetCallerIdentity": func() (tchttp.Request, tchttp.Response) {
		return sts.NewGetCallerIdentityRequest(), sts.NewGetCallerIdentityResponse()
	},
	"CreateKey": func() (tchttp.Request, tchttp.Response) {
		return kms.NewCreateKeyRequest(), kms.NewCreateKeyResponse()
	},
	"DescribeKey": func() (tchttp.Request, tchttp.Response) {
		return kms.NewDescribeKeyRequest(), kms.NewDescribeKeyResponse()
	},
	"DescribeInstances": func() (tchttp.Request, tchttp.Response) {
		request := &describeInstances{BaseRequest: &tchttp.BaseRequest{}}
		return tcr(request, "DescribeInstances")
	},
	"CreateNamespace": func() (tchttp.Request, tchttp.Response) {
		request := &createNamespace{BaseRequest: &tchttp.BaseRequest{}}
		return tcr(request, "CreateNamespace")
	},
	"DescribeNamespaces": func() (tchttp.Request, tchttp.Response) {
		request := &describeNamespaces{BaseRequest: &tchttp.BaseRequest{}}
		return tcr(request, "DescribeNamespaces")
	},
	"DeleteNamespace": func() (tchttp.Request, tchttp.Response) {
		request := &deleteNamespace{BaseRequest: &tchttp.BaseRequest{}}
		return tcr(request, "DeleteNamespace")
	},
}

type generated interface {
	tchttp.Request
	Init() *tchttp.BaseRequest
}

func tcr(request generated, action string) (tchttp.Request, tchttp.Response) {
	request.Init().WithApiInfo("tcr", "2019-09-24", action)
	return request, tchttp.NewCommonResponse()
}

func untyped(asked call) (tchttp.Request, tchttp.Response, error) {
	request := tchttp.NewCommonRequest(asked.Product, asked.Version, asked.Action)
	var parameters map[string]interface{}
	if err := json.Unmarshal(asked.Parameters, &parameters); err != nil {
		return nil, nil, err
	}
	return request, tchttp.NewCommonResponse(), request.SetActionParameters(parameters)
}

func told(response tchttp.Response) ([]byte, error) {
	if untyped, is := response.(*tchttp.CommonResponse); is {
		return untyped.GetBody(), nil
	}
	return json.Marshal(response)
}

func behind(proxy *url.URL, opened *common.Client, made *profile.ClientProfile) *common.Client {
	made.HttpProfile.Proxy = proxy.String()
	return opened.WithProfile(made)
}

type filter struct {
	Name   *string   `json:"Name,omitnil,omitempty" name:"Name"`
	Values []*string `json:"Values,omitnil,omitempty" name:"Values"`
}

type tag struct {
	Key   *string `json:"Key,omitnil,omitempty" name:"Key"`
	Value *string `json:"Value,omitnil,omitempty" name:"Value"`
}

type tagSpecification struct {
	ResourceType *string `json:"ResourceType,omitnil,omitempty" name:"ResourceType"`
	Tags         []*tag  `json:"Tags,omitnil,omitempty" name:"Tags"`
}

type describeInstances struct {
	*tchttp.BaseRequest

	Registryids []*string `json:"Registryids,omitnil,omitempty" name:"Registryids"`
	Offset      *int64    `json:"Offset,omitnil,omitempty" name:"Offset"`
	Limit       *int64    `json:"Limit,omitnil,omitempty" name:"Limit"`
	Filters     []*filter `json:"Filters,omitnil,omitempty" name:"Filters"`
	AllRegion   *bool     `json:"AllRegion,omitnil,omitempty" name:"AllRegion"`
}

type createNamespace struct {
	*tchttp.BaseRequest

	RegistryId       *string           `json:"RegistryId,omitnil,omitempty" name:"RegistryId"`
	NamespaceName    *string           `json:"NamespaceName,omitnil,omitempty" name:"NamespaceName"`
	IsPublic         *bool             `json:"IsPublic,omitnil,omitempty" name:"IsPublic"`
	TagSpecification *tagSpecification `json:"TagSpecification,omitnil,omitempty" name:"TagSpecification"`
}

type describeNamespaces struct {
	*tchttp.BaseRequest

	RegistryId    *string `json:"RegistryId,omitnil,omitempty" name:"RegistryId"`
	NamespaceName *string `json:"NamespaceName,omitnil,omitempty" name:"NamespaceName"`
	Limit         *int64  `json:"Limit,omitnil,omitempty" name:"Limit"`
	Offset        *int64  `json:"Offset,omitnil,omitempty" name:"Offset"`
	All           *bool   `json:"All,omitnil,omitempty" name:"All"`
}

type deleteNamespace struct {
	*tchttp.BaseRequest

	RegistryId    *string `json:"RegistryId,omitnil,omitempty" name:"RegistryId"`
	NamespaceName *string `json:"NamespaceName,omitnil,omitempty" name:"NamespaceName"`
}
