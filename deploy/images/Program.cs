using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sloring.Images;

// For ./images: makes of what the SDK and the tool CycloneDX wrote an archive and a bill of materials that depend on nothing but the commit, the SDK and the base image.
if (args is not [var published, var bill, var name, var seconds, var folder, .. var npm])
{
    Console.Error.WriteLine("Usage: Sloring.Images <archive of the SDK> <bill of the project> <repository>:<tag> <seconds since 1970> <folder> [<package-lock.json>]");
    return 2;
}
var moment = DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds, CultureInfo.InvariantCulture));
var image = OciImage.Read(published).At(moment);
var service = name.Split(':')[0].Split('/')[^1];
image.Write(Path.Combine(folder, service + ".tar"), name, moment);
JsonObject Json(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();
File.WriteAllText(Path.Combine(folder, service + ".cdx.json"), BillOfMaterials.Of(image, Json(bill), npm.Length == 0 ? null : Json(npm[0]), name, moment).ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
Console.WriteLine($"{name}@{image.Digest}");
return 0;
