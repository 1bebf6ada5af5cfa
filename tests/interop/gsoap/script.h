// What the clients of both faces share: telling the judge, and reading what
// gSOAP leaves as XML. It comes behind the generated headers.

#pragma once

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void give_up(const std::string &why) {
    std::cerr << why << std::endl;
    std::exit(1);
}

// step tells the judge what a step gave and waits until it has looked.
void step(const std::string &name, const Values &values = {}) {
    std::cout << "step\t" << name;
    for (const auto &v : values) std::cout << '\t' << v.first << '=' << v.second;
    std::cout << std::endl;
    std::string answer;
    if (!std::getline(std::cin, answer) || answer != "go") std::exit(1);
}

// seconds is the length of an xs:duration without years and months.
long seconds(const char *duration) {
    long total = 0, number = 0;
    for (const char *c = duration; *c; c++) {
        switch (*c) {
            case 'D': total += number * 86400; number = 0; break;
            case 'H': total += number * 3600; number = 0; break;
            case 'M': total += number * 60; number = 0; break;
            case 'S': total += number; number = 0; break;
            case 'P': case 'T': break;
            default: number = number * 10 + (*c - '0');
        }
    }
    return total;
}

// copy makes text that lives as long as the context.
char *copy(struct soap *context, const std::string &text) { return soap_strdup(context, text.c_str()); }

// content returns the text in an element that gSOAP left as XML.
std::string content(const char *xml) {
    std::string text(xml);
    auto begin = text.find('>') + 1;
    return text.substr(begin, text.rfind("</") - begin);
}

// typed reads the XML that gSOAP leaves of an xs:any by the schema.
template <typename T>
T *typed(struct soap *context, const char *xml, T *value, int (*read)(soap *, T *)) {
    std::istringstream text(xml);
    context->is = &text;
    if (read(context, value) != SOAP_OK) {
        soap_stream_fault(context, std::cerr);
        give_up(std::string("cannot read ") + xml);
    }
    context->is = nullptr;
    return value;
}

template <typename T>
T *document(struct soap *context, const std::string &path, T *value, int (*read)(soap *, T *)) {
    std::ifstream file(path);
    context->is = &file;
    if (read(context, value) != SOAP_OK) give_up("cannot read " + path);
    context->is = nullptr;
    return value;
}

// sorted joins names in their order.
std::string sorted(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    std::string all;
    for (const auto &name : names) all += (all.empty() ? "" : ",") + name;
    return all;
}

// open lets a server of gSOAP listen on a free port and returns where it is.
std::string open(struct soap *context) {
    context->accept_timeout = 300;
    if (!soap_valid_socket(soap_bind(context, "127.0.0.1", 0, 10))) give_up("cannot listen");
    sockaddr_in at{};
    socklen_t size = sizeof at;
    getsockname(context->master, reinterpret_cast<sockaddr *>(&at), &size);
    return "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port)) + "/consumer";
}

}  // namespace
