// Shows the OpenAPI document of this service, by Swagger UI's files from this service.
const main = document.getElementById("api");
SwaggerUIBundle({ domNode: main, url: main.dataset.url, deepLinking: true, validatorUrl: null });
