import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.tencentcloudapi.common.AbstractModel;
import com.tencentcloudapi.common.CommonClient;
import com.tencentcloudapi.common.CommonRequest;
import com.tencentcloudapi.common.Credential;
import com.tencentcloudapi.common.exception.TencentCloudSDKException;
import com.tencentcloudapi.common.profile.ClientProfile;
import com.tencentcloudapi.common.profile.HttpProfile;
import com.tencentcloudapi.common.profile.Language;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;

/** Calls the official Java SDK as a line of JSON on standard input asks, and answers with a line of JSON. */
public class Driver {
    static class Call {
        String product, version, action, region, sign, method, language, scheme, endpoint, proxy, secret_id, secret_key, token;
        boolean unsigned, common;
        JsonObject parameters;
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream replies = new PrintStream(System.out, true, "UTF-8");
        for (String line; (line = lines.readLine()) != null; ) {
            replies.println(answer(new Gson().fromJson(line, Call.class)));
        }
        // The SDK's HTTP client keeps threads that would wait on.
        System.exit(0);
    }

    static JsonObject answer(Call call) {
        JsonObject reply = new JsonObject();
        try {
            reply.add("result", call.common ? untyped(call) : typed(call));
        } catch (InvocationTargetException wrapped) {
            refuse(reply, wrapped.getCause());
        } catch (Exception other) {
            refuse(reply, other);
        }
        return reply;
    }

    static void refuse(JsonObject reply, Throwable thrown) {
        TencentCloudSDKException refused = thrown instanceof TencentCloudSDKException ? (TencentCloudSDKException) thrown : null;
        if (refused != null && refused.getErrorCode() != null && !refused.getErrorCode().isEmpty()) {
            JsonObject error = new JsonObject();
            error.addProperty("code", refused.getErrorCode());
            error.addProperty("message", refused.getMessage());
            error.addProperty("request_id", refused.getRequestId());
            reply.add("error", error);
        } else {
            reply.addProperty("failure", thrown.toString());
        }
    }

    static JsonElement typed(Call call) throws ReflectiveOperationException {
        String name = Character.toUpperCase(call.product.charAt(0)) + call.product.substring(1);
        String home = "com.tencentcloudapi." + call.product + ".v" + call.version.replace("-", "") + ".";
        Class<?> takes = Class.forName(home + "models." + call.action + "Request");
        Class<?> client = Class.forName(home + name + "Client");
        Object made = client.getConstructor(Credential.class, String.class, ClientProfile.class)
            .newInstance(credential(call), call.region, profile(call));
        Object request = AbstractModel.fromJsonString(call.parameters.toString(), takes);
        Object response = client.getMethod(call.action, takes).invoke(made, request);
        return JsonParser.parseString(AbstractModel.toJsonString((AbstractModel) response));
    }

    static JsonElement untyped(Call call) throws TencentCloudSDKException {
        CommonClient client = new CommonClient(call.product, call.version, credential(call), call.region, profile(call));
        return JsonParser.parseString(client.commonRequest(new CommonRequest(call.parameters.toString()), call.action));
    }

    static Credential credential(Call call) {
        return new Credential(call.secret_id, call.secret_key, call.token);
    }

    static ClientProfile profile(Call call) {
        HttpProfile http = new HttpProfile();
        http.setProtocol(call.scheme + "://");
        http.setEndpoint(call.endpoint);
        http.setReqMethod(call.method);
        if (call.proxy != null) {
            http.setProxyHost(call.proxy.split(":")[0]);
            http.setProxyPort(Integer.parseInt(call.proxy.split(":")[1]));
        }
        ClientProfile profile = new ClientProfile(call.sign, http);
        profile.setLanguage(call.language.equals("zh-CN") ? Language.ZH_CN : Language.EN_US);
        profile.setUnsignedPayload(call.unsigned);
        return profile;
    }
}
