// What an endpoint says about the topics it takes: attributes on a handler, or WithTopic on a minimal endpoint.
using Dapr;

namespace Dapr
{
    public interface ITopicMetadata
    {
        string Name { get; }
        string PubsubName { get; }
        string? Match { get; }
        int Priority { get; }
    }

    public interface IRawTopicMetadata
    {
        bool? EnableRawPayload { get; }
    }

    public interface IDeadLetterTopicMetadata
    {
        string? DeadLetterTopic { get; }
    }

    public interface IOriginalTopicMetadata
    {
        /// <summary>Which topics own it (by their OwnedMetadatas); without an id it belongs to all topics of the endpoint.</summary>
        string? Id { get; }
        string Name { get; }
        string Value { get; }
    }

    public interface IOwnedOriginalTopicMetadata
    {
        string[]? OwnedMetadatas { get; }
        string? MetadataSeparator { get; }
    }

    [AttributeUsage(AttributeTargets.All, AllowMultiple = true)]
    public class TopicAttribute : Attribute, ITopicMetadata, IRawTopicMetadata, IOwnedOriginalTopicMetadata, IDeadLetterTopicMetadata
    {
        public TopicAttribute(string pubsubName, string name, string[]? ownedMetadatas = null, string? metadataSeparator = null)
        {
            ArgumentException.ThrowIfNullOrEmpty(pubsubName);
            ArgumentException.ThrowIfNullOrEmpty(name);
            PubsubName = pubsubName;
            Name = name;
            OwnedMetadatas = ownedMetadatas;
            MetadataSeparator = metadataSeparator;
        }

        public TopicAttribute(
            string pubsubName, string name, bool enableRawPayload, string[]? ownedMetadatas = null, string? metadataSeparator = null)
            : this(pubsubName, name, ownedMetadatas, metadataSeparator) => EnableRawPayload = enableRawPayload;

        public TopicAttribute(
            string pubsubName, string name, string match, int priority, string[]? ownedMetadatas = null, string? metadataSeparator = null)
            : this(pubsubName, name, ownedMetadatas, metadataSeparator)
        {
            Match = match;
            Priority = priority;
        }

        public TopicAttribute(
            string pubsubName, string name, bool enableRawPayload, string match, int priority, string[]? ownedMetadatas = null,
            string? metadataSeparator = null)
            : this(pubsubName, name, match, priority, ownedMetadatas, metadataSeparator) => EnableRawPayload = enableRawPayload;

        public TopicAttribute(
            string pubsubName, string name, string? deadLetterTopic, bool enableRawPayload, string[]? ownedMetadatas = null,
            string? metadataSeparator = null)
            : this(pubsubName, name, enableRawPayload, ownedMetadatas, metadataSeparator) => DeadLetterTopic = deadLetterTopic;

        public string Name { get; set; }
        public string PubsubName { get; set; }
        public bool? EnableRawPayload { get; set; }
        public new string? Match { get; set; }
        public int Priority { get; set; }
        public string[]? OwnedMetadatas { get; set; }
        public string? MetadataSeparator { get; set; }
        public string? DeadLetterTopic { get; set; }
    }

    [AttributeUsage(AttributeTargets.All, AllowMultiple = true)]
    public class TopicMetadataAttribute : Attribute, IOriginalTopicMetadata
    {
        public TopicMetadataAttribute(string name, string value)
        {
            ArgumentException.ThrowIfNullOrEmpty(name);
            ArgumentNullException.ThrowIfNull(value);
            Name = name;
            Value = value;
        }

        public TopicMetadataAttribute(string id, string name, string value) : this(name, value)
        {
            ArgumentException.ThrowIfNullOrEmpty(id);
            Id = id;
        }

        public string? Id { get; }
        public string Name { get; }
        public string Value { get; }
    }

    public class TopicOptions
    {
        public string Name { get; set; } = "";
        public string PubsubName { get; set; } = "";
        public bool EnableRawPayload { get; set; }
        public string? Match { get; set; }
        public int Priority { get; set; }
        public string[]? OwnedMetadatas { get; set; }
        public string? MetadataSeparator { get; set; }
        public string? DeadLetterTopic { get; set; }
        public IDictionary<string, string>? Metadata { get; set; }
    }
}

namespace Microsoft.AspNetCore.Builder
{
    public static class DaprEndpointConventionBuilderExtensions
    {
        public static T WithTopic<T>(this T builder, string pubsubName, string name) where T : IEndpointConventionBuilder =>
            builder.WithTopic(pubsubName, name, false, null);

        public static T WithTopic<T>(this T builder, string pubsubName, string name, IDictionary<string, string>? metadata)
            where T : IEndpointConventionBuilder => builder.WithTopic(pubsubName, name, false, metadata);

        public static T WithTopic<T>(this T builder, string pubsubName, string name, bool enableRawPayload) where T : IEndpointConventionBuilder =>
            builder.WithTopic(pubsubName, name, enableRawPayload, null);

        public static T WithTopic<T>(this T builder, string pubsubName, string name, bool enableRawPayload, IDictionary<string, string>? metadata)
            where T : IEndpointConventionBuilder =>
            builder.WithTopic(new TopicAttribute(pubsubName, name, enableRawPayload), metadata);

        /// <summary>MetadataSeparator is not passed on: the official one forgets it too.</summary>
        public static T WithTopic<T>(this T builder, TopicOptions topicOptions) where T : IEndpointConventionBuilder
        {
            ArgumentNullException.ThrowIfNull(topicOptions);
            return builder.WithTopic(
                new TopicAttribute(topicOptions.PubsubName, topicOptions.Name, topicOptions.DeadLetterTopic, topicOptions.EnableRawPayload)
                {
                    Match = topicOptions.Match,
                    Priority = topicOptions.Priority,
                    OwnedMetadatas = topicOptions.OwnedMetadatas,
                }, topicOptions.Metadata);
        }

        private static T WithTopic<T>(this T builder, TopicAttribute topic, IDictionary<string, string>? metadata) where T : IEndpointConventionBuilder
        {
            ArgumentNullException.ThrowIfNull(builder);
            builder.WithMetadata(topic);
            foreach (var (name, value) in metadata ?? new Dictionary<string, string>())
                builder.WithMetadata(new TopicMetadataAttribute(name, value));
            return builder;
        }
    }
}
