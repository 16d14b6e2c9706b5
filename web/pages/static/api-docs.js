// Shows the OpenAPI document of this service, by Swagger UI's files from this service.
const place = document.getElementById("api");
SwaggerUIBundle({ domNode: place, url: place.dataset.url, deepLinking: true, validatorUrl: null });
